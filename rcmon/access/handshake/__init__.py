"""TLS: the server's own credential, its contexts, rehearsals of handshakes, and resumed sessions."""
