"""What changed, when, from what to what, and by whom."""

from rcmon.access.roles import Role
from rcmon.timestamps import iso
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.journal import JournalDocument, JournalQuery, read_part
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class JournalHandler(Handler):
    """The journal, newest first."""

    route = "/api/journal"
    summary = "What changed, newest first: states, slots, thresholds, agents, sources, and who did what."
    query: JournalQuery

    @requires(Role.READER)
    @gives(JournalDocument)
    async def get(self) -> Ready:
        """Answer with the entries that are asked for."""
        part = await read_part(self.services.store, self.query)
        held = self.services.board.current
        timestamp = iso(held.facts.started) if held else None
        more = None if part.more is None else self.onward("cursor", part.more)
        return self.json(JournalDocument(timestamp, len(part.entries), part.total, more, part.entries))


HANDLERS = (JournalHandler,)
