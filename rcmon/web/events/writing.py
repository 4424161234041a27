"""Events as text (WHATWG HTML, 9.2.6): JSON has no line ends of its own, so that each is one `data:` line."""

import msgspec

HEARTBEAT = b": still here\n\n"
_ENCODER = msgspec.json.Encoder()


def event(name: str, value: object) -> bytes:
    """Write an event without an id: who misses what follows it gets it again."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), _ENCODER.encode(value))


def with_id(events: bytes, place: str) -> bytes:
    """Put an id behind the last event, or, where there is none, just the id."""
    return b"%sid: %s\n\n" % (events.removesuffix(b"\n"), place.encode())


def retry(seconds: float) -> bytes:
    """Say how long to wait before asking again once a stream broke."""
    return b"retry: %d\n\n" % round(seconds * 1000)
