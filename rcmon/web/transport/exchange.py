"""One request and its answer, as it is counted and logged."""

from msgspec import Struct

from rcmon.web.transport.said import Said


class Exchange(Struct, gc=False):
    """What became of a request."""

    route: str
    """The route's pattern, never the path that a client chose."""
    method: str
    status: int
    size: int
    """Bytes sent, head included, before TLS."""
    seconds: float
    """From the head being read to the answer being handed to the socket."""
    said: Said
    request_id: str
    """In the answer's X-Request-Id too."""
    begun: float | None = None
    """Seconds until an answer began that then went on for as long as the client wanted; None: it did not."""
