"""What changed, when, from what to what, and by whom."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from rcmon.access.roles import Role
from rcmon.errors import StoreError
from rcmon.model.journal import ACKNOWLEDGEMENT, OVERRIDE, ROLES
from rcmon.store.journal import JournalSpan, NumberedEntry, count_journal, read_journal
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.query import NAME, Agent, Many, Moment, Pretty
from rcmon.web.api.times import read_time
from rcmon.web.auth import requires
from rcmon.web.base import Handler

MOST = 1000
Kind = Literal[
    "site",
    "state",
    "slots",
    "threshold",
    "agent",
    "source",
    "roles",
    "acknowledgement",
    "override",
    "quarantine",
    "effective",
    "weight",
]
_DONE = (ROLES.name, ACKNOWLEDGEMENT.name, OVERRIDE.name)
"""Kinds of what no cycle sees."""

Cursor = Annotated[int, Meta(ge=1, le=2**53, description="what `next` of an earlier answer holds")]


class JournalQuery(Pretty, frozen=True, kw_only=True):
    """Which entries; different parameters must all hold."""

    site: Annotated[str, Meta(pattern=NAME, description="a site's name")] = ""
    agent: Agent = ""
    kind: Many[Kind] = ()
    since: Moment = ""
    until: Moment = ""
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 100
    cursor: Cursor | None = None


class JournalHandler(Handler):
    """The journal, newest first."""

    route = "/api/journal"
    summary = "What changed, newest first: states, slots, thresholds, agents, sources, and who did what."
    query: JournalQuery

    @requires(Role.READER)
    async def get(self) -> Ready:
        """Answer with the entries that are asked for."""
        query = self.query
        asked = JournalSpan(
            limit=query.limit + 1,
            before=query.cursor,
            site=query.site or None,
            agent=query.agent or None,
            kinds=query.kind,
            since=read_time("since", query.since),
            until=read_time("until", query.until),
        )
        try:
            async with self.services.store.asking() as connection:
                kept = await read_journal(connection, asked)
                total = await count_journal(connection, asked)
        except StoreError as error:
            detail = f"The journal cannot be read just now: {error}"
            raise Problem(503, detail, fields=(("Retry-After", "5"),)) from error
        return self.json(self._answer(kept, total))

    def _answer(self, kept: list[NumberedEntry], total: int) -> dict[str, Any]:
        shown = kept[: self.query.limit]
        held = self.services.board.current
        return {
            "timestamp": iso(held.facts.started) if held else None,
            "count": len(shown),
            "total": total,
            "next": self.onward("cursor", shown[-1].number) if len(kept) > len(shown) else None,
            "entries": [_shape(one) for one in shown],
        }


def _shape(kept: NumberedEntry) -> dict[str, Any]:
    entry = kept.entry
    time = iso(entry.time)
    return {
        "id": kept.number,
        "time": time,
        "cycle": None if entry.kind in _DONE else time,
        "kind": entry.kind,
        "agent": entry.agent,
        "site": entry.site,
        "task": entry.task,
        "subject": entry.subject,
        "old": entry.old,
        "new": entry.new,
        "cause": entry.cause,
        "by": entry.by,
    }


HANDLERS = (JournalHandler,)
