"""What happens, as it happens."""

from msgspec import structs

from rcmon.access.roles import Role
from rcmon.web.answers.answer import Live
from rcmon.web.api.contract import gives
from rcmon.web.api.events import (
    MEDIA_TYPE,
    EventsQuery,
    FindingEvent,
    JournalEvent,
    ReloadEvent,
    SnapshotEvent,
)
from rcmon.web.api.journal import EntryShape
from rcmon.web.auth import requires
from rcmon.web.base import Handler
from rcmon.web.events.stream import EventStream


class EventsHandler(Handler):
    """Server-Sent Events."""

    route = "/api/events"
    summary = (
        "What changes, as it changes: a stream of Server-Sent Events of snapshots, findings, the journal and"
        " overrides, that goes on behind `Last-Event-ID`."
    )
    query: EventsQuery
    lasting = True

    @requires(Role.READER)
    @gives(
        texts=(MEDIA_TYPE,),
        refuses=(429,),
        named=(SnapshotEvent, FindingEvent, JournalEvent, EntryShape, ReloadEvent),
    )
    async def get(self) -> Live:
        """Answer with what changed since the client's last event, then with what changes."""
        since = self.request.headers.get("Last-Event-ID") or self.query.last_event_id
        stream = EventStream(self.request.peer, structs.replace(self.query, last_event_id=""))
        return Live(self.services.hub.blocks(stream, since), stream.over, MEDIA_TYPE)


HANDLERS = (EventsHandler,)
