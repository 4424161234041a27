"""The statements about the journal. Each runs in its caller's transaction."""

import json
import logging
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import Connection, Row, Select, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import UNREADABLE, StoreCorruptError
from rcmon.model.journal import SOURCE, JournalEntry, Value
from rcmon.store.tables import JOURNAL
from rcmon.store.turn import take_turn
from rcmon.timestamps import before

LOG = logging.getLogger(__name__)

ENTRIES_AT_ONCE = 5000
"""How many entries one transaction forgets at most."""
_LONGEST = 1000
"""Characters of a text that are kept."""


class NumberedEntry(Struct, frozen=True):
    """An entry with its number: later ones have greater numbers, whatever the clock said."""

    number: int
    entry: JournalEntry


class JournalSpan(Struct, frozen=True):
    """Which entries are asked for; a member that is None asks for all."""

    limit: int
    before: int | None = None
    """Entries with a smaller number."""
    site: str | None = None
    agent: str | None = None
    kinds: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None


async def add_entries(connection: AsyncConnection, entries: Sequence[JournalEntry]) -> None:
    """Write entries, in their order; it is best done last in a transaction.

    Nobody else writes until the transaction ends: whoever read up to a number, and goes on behind it, misses
    nothing that was numbered earlier and committed later.
    """
    if entries:
        await take_turn(connection, JOURNAL)
        await connection.execute(insert(JOURNAL), [_values(entry) for entry in entries])


async def add_news(connection: AsyncConnection, entry: JournalEntry) -> bool:
    """Write an entry with what held before as its `old`, unless that is what it tells; tells whether it did.

    For what no snapshot tells of.
    """
    last = (
        select(JOURNAL.c.new)
        .where(JOURNAL.c.kind == entry.kind, JOURNAL.c.subject == _text(entry.subject))
        .order_by(JOURNAL.c.id.desc())
        .limit(1)
    )
    held = (await connection.execute(last)).scalar()
    if held == _json(entry.new):
        return False
    try:
        before = told(held)
    except StoreCorruptError as error:
        LOG.warning("what held before is left out: %s", error)
        before = None
    await add_entries(connection, [structs.replace(entry, old=before)])
    return True


async def has_begun(connection: AsyncConnection) -> bool:
    """Tell whether any cycle wrote entries: not in a store that is new, was upgraded, or lost its journal."""
    some = select(JOURNAL.c.id).where(JOURNAL.c.kind == SOURCE.name).limit(1)
    return (await connection.execute(some)).first() is not None


async def read_journal(connection: AsyncConnection, asked: JournalSpan) -> list[NumberedEntry]:
    """Read entries, newest first. One that cannot be read is left out."""
    statement = _chosen(select(JOURNAL), asked).order_by(JOURNAL.c.id.desc())
    before, found = asked.before, list[NumberedEntry]()
    while (wanted := asked.limit - len(found)) > 0:
        some = statement if before is None else statement.where(JOURNAL.c.id < before)
        rows = (await connection.execute(some.limit(wanted))).all()
        found += _readable(rows)
        if len(rows) < wanted:
            break
        before = rows[-1].id
    return found


def read_news(connection: Connection, number: int | None, limit: int) -> tuple[int, Sequence[NumberedEntry]]:
    """Read the entries behind a number, oldest first; None: none, but where those to come will begin.

    The number that is given too is where they begin: another one where the journal was made again meanwhile.
    """
    last = connection.execute(select(func.max(JOURNAL.c.id))).scalar_one() or 0
    if number is None or number == last:
        return last, ()
    begin = done = number if number < last else 0
    found: list[NumberedEntry] = []
    while (wanted := limit - len(found)) > 0:
        later = select(JOURNAL).where(JOURNAL.c.id > done).order_by(JOURNAL.c.id).limit(wanted)
        rows = connection.execute(later).all()
        found += _readable(rows)
        if len(rows) < wanted:
            # behind what cannot be read nothing is missed: it is not read over and over
            return (begin, found) if found else (last, ())
        done = rows[-1].id
    return begin, found


async def journal_begin(connection: AsyncConnection) -> float | None:
    """Tell since when changes are kept: the time of the oldest entry; None: there is none."""
    first = select(JOURNAL.c.time).order_by(JOURNAL.c.id).limit(1)
    time: float | None = (await connection.execute(first)).scalar()
    return time


async def count_journal(connection: AsyncConnection, asked: JournalSpan) -> int:
    """Count the entries that are asked for, whatever their number."""
    counted = _chosen(select(func.count()).select_from(JOURNAL), asked)
    return int((await connection.execute(counted)).scalar_one())


async def prune_journal(connection: AsyncConnection, before: float) -> bool:
    """Forget some entries from before that time, oldest first; tells whether there may be more.

    Entries that were written by a clock that was ahead go with those around them.
    """
    kept = select(func.min(JOURNAL.c.id)).where(JOURNAL.c.time >= before).scalar_subquery()
    newest = select(func.max(JOURNAL.c.id)).scalar_subquery()
    old = (
        select(JOURNAL.c.id)
        .where(JOURNAL.c.id < func.coalesce(kept, newest))
        .order_by(JOURNAL.c.id)
        .limit(ENTRIES_AT_ONCE)
    )
    gone = await connection.execute(delete(JOURNAL).where(JOURNAL.c.id.in_(old)))
    return gone.rowcount == ENTRIES_AT_ONCE


def _chosen(statement: Select[Any], asked: JournalSpan) -> Select[Any]:
    if asked.site is not None:
        statement = statement.where(JOURNAL.c.site == asked.site)
    if asked.agent is not None:
        statement = statement.where(JOURNAL.c.agent == asked.agent)
    if asked.kinds:
        statement = statement.where(JOURNAL.c.kind.in_(asked.kinds))
    if asked.since is not None:
        statement = statement.where(JOURNAL.c.time > before(asked.since))
    if asked.until is not None:
        statement = statement.where(JOURNAL.c.time <= asked.until)
    return statement


def _values(entry: JournalEntry) -> dict[str, Any]:
    return {
        "time": entry.time,
        "kind": entry.kind,
        "agent": _text(entry.agent),
        "site": _text(entry.site),
        "task": _text(entry.task),
        "subject": _text(entry.subject),
        "old": _json(entry.old),
        "new": _json(entry.new),
        "cause": _text(entry.cause),
        "who": _text(entry.by),
    }


def told(written: str | None) -> Value:
    """Read what an entry tells; raises StoreCorruptError where it cannot be read."""
    if written is None:
        return None
    try:
        value = json.loads(written)
    except (*UNREADABLE, TypeError) as error:
        raise StoreCorruptError(f"an entry of the journal is damaged in the store: {error}") from error
    if not isinstance(value, dict):
        raise StoreCorruptError("an entry of the journal is damaged in the store: it is no object")
    return value


def _readable(rows: Sequence[Row[Any]]) -> list[NumberedEntry]:
    found = []
    for row in rows:
        try:
            found.append(NumberedEntry(row.id, _entry(row)))
        except StoreCorruptError as error:
            LOG.warning("entry %d is left out: %s", row.id, error)
    return found


def _entry(row: Row[Any]) -> JournalEntry:
    return JournalEntry(
        time=row.time,
        kind=row.kind,
        old=told(row.old),
        new=told(row.new),
        agent=row.agent,
        site=row.site,
        task=row.task,
        subject=row.subject,
        cause=row.cause,
        by=row.who,
    )


def _json(value: Any) -> str | None:
    """Write a value; in ASCII, so that every database takes it, whatever a name holds."""
    return None if value is None else json.dumps(value, separators=(",", ":")).replace("\\u0000", "\\ufffd")


def _text(text: str | None) -> str | None:
    """Make a text one that every database takes."""
    if text is None:
        return None
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:_LONGEST]
