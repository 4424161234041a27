"""The composition root: configuration, log, store, TLS, sockets, processes."""


def main() -> None:
    """Run rcmon."""
    raise SystemExit(78)
