"""From an accepted socket to a request, and from an answer to bytes on the wire."""
