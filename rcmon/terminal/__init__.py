"""`rcmon-cli`: what the service knows, in a terminal. A client: it shares but words with the service."""
