"""One client's stream: where it is in what happens."""

import asyncio

from rcmon.web.api.events import EventsQuery
from rcmon.web.transport.peer import Peer


class EventStream:
    """A stream; `query` without what the client knows."""

    def __init__(self, peer: Peer, query: EventsQuery) -> None:
        self.peer, self.query = peer, query
        self.at = 0
        """Number of the next moment that it is told of."""
        self.woken = asyncio.Event()
        """Set where there may be something to do."""
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Why it ended, as `rcmon.telemetry.own.STREAMS_ENDED` has it, once it has to."""
        self.over.add_done_callback(lambda _over: self.woken.set())

    def finish(self, reason: str) -> None:
        """Have it end; the first reason counts."""
        if not self.over.done():
            self.over.set_result(reason)
