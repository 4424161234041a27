"""One request, as handlers see it on whichever way it came."""

from collections.abc import Mapping

from msgspec import Struct

from rcmon.web.transport.peer import Peer
from rcmon.web.transport.request_count import Authorized


class Request(Struct, eq=False):
    """What is asked, and by whom."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Looked up in any case."""
    peer: Peer
    query: str = ""
    """As it was written."""
    query_arguments: Mapping[str, list[bytes]] = {}
    body: bytes = b""
    authorized: Authorized | None = None
    """What the last check said, for the counters; None: none was made."""
