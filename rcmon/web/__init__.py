"""The web side: what a worker process does between a connection and the bytes of an answer."""
