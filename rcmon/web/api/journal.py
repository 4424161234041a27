"""Which entries of the journal a query selects, and how they are told."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from rcmon.errors import StoreError
from rcmon.model.journal import ACKNOWLEDGEMENT, OVERRIDE, ROLES
from rcmon.store import Store
from rcmon.store.journal import JournalSpan, NumberedEntry, count_journal, read_journal
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.api.query import NAME, Agent, Many, Moment, Query
from rcmon.web.api.times import read_time

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

Number = Annotated[int, Meta(ge=1, le=2**53, description="what `next` of an earlier answer holds")]


class JournalSelection(Query, frozen=True, kw_only=True):
    """Which entries; different parameters must all hold."""

    site: Annotated[str, Meta(pattern=NAME, description="a site's name")] = ""
    agent: Agent = ""
    kind: Many[Kind] = ()
    since: Moment = ""
    until: Moment = ""
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 100
    cursor: Number | None = None


class JournalQuery(JournalSelection, frozen=True, kw_only=True):
    """What is asked of the journal."""

    pretty: bool = False


class EntryShape(Struct, frozen=True):
    """One entry: what changed, when, from what to what."""

    id: int
    time: str | None
    cycle: str | None
    """Begin of the cycle that saw it; null: no cycle did, somebody did it."""
    kind: str
    agent: str | None
    site: str | None
    task: str | None
    subject: str | None
    """What else it is about, such as a source or a finding."""
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    cause: str | None
    by: str | None
    """The subject of the certificate of who did it."""


class JournalDocument(Struct, frozen=True):
    """A part of the journal, newest first."""

    timestamp: str | None
    count: int
    total: int
    next: str | None
    entries: Sequence[EntryShape]


class JournalPart(Struct, frozen=True):
    """What was read of the journal."""

    entries: Sequence[EntryShape]
    total: int
    more: int | None
    """The cursor behind these; None: there is nothing more."""


async def read_part(store: Store, query: JournalSelection) -> JournalPart:
    """Read what is asked for. Problem 400 for a time that is none, 503 where it cannot be read."""
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
        async with store.asking() as connection:
            kept = await read_journal(connection, asked)
            total = await count_journal(connection, asked)
    except StoreError as error:
        detail = f"The journal cannot be read just now: {error}"
        raise Problem(503, detail, fields=(("Retry-After", "5"),)) from error
    shown = kept[: query.limit]
    more = shown[-1].number if len(kept) > len(shown) else None
    return JournalPart([entry_shape(one) for one in shown], total, more)


def entry_shape(kept: NumberedEntry) -> EntryShape:
    """Shape one entry."""
    entry = kept.entry
    time = iso(entry.time)
    return EntryShape(
        id=kept.number,
        time=time,
        cycle=None if entry.kind in _DONE else time,
        kind=entry.kind,
        agent=entry.agent,
        site=entry.site,
        task=entry.task,
        subject=entry.subject,
        old=entry.old,
        new=entry.new,
        cause=entry.cause,
        by=entry.by,
    )
