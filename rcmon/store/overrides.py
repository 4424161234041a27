"""The statements about overrides, and what changed them. Each runs in its caller's transaction.

Whoever changes overrides takes the turn first (`next_change`): then all that is read here stays as it is
until the transaction ends, and numbers grow in the order in which changes were made. Every change is in the
journal by the same transaction.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import structs
from sqlalchemy import Row, bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import UNREADABLE, StoreCorruptError
from rcmon.model import Override, OverrideChange, Spot, SpotChange
from rcmon.model.journal import OVERRIDE as KIND
from rcmon.model.journal import JournalEntry, Value
from rcmon.store.journal import add_entries
from rcmon.store.tables import OVERRIDE as TABLE
from rcmon.store.tables import OVERRIDE_CHANGE as CHANGE
from rcmon.store.turn import take_turn
from rcmon.timestamps import iso

_COLUMNS = [TABLE.c[name] for name in Override.__struct_fields__]
_EVERY = ""
"""What stands for every agent, where an agent's name would stand."""


async def read_overrides(connection: AsyncConnection) -> tuple[Override, ...]:
    """Read all, by site and agent; also those whose time is over: the clock may be wrong."""
    rows = await connection.execute(select(*_COLUMNS).order_by(TABLE.c.site, TABLE.c.agent))
    return tuple(_override(row) for row in rows)


async def read_override(connection: AsyncConnection, site: str, agent: str | None) -> Override | None:
    """Read the one of a place; None: there is none."""
    row = (await connection.execute(select(*_COLUMNS).where(*_at(TABLE, site, agent)))).one_or_none()
    return None if row is None else _override(row)


async def next_change(connection: AsyncConnection) -> int:
    """Take the turn until the transaction ends; gives the number that the next change has."""
    await take_turn(connection, CHANGE)
    newest = (await connection.execute(select(func.max(CHANGE.c.number)))).scalar_one()
    return 1 if newest is None else int(newest) + 1


async def make_change(connection: AsyncConnection, change: OverrideChange) -> None:
    """Make a change, whole, with its entries in the journal."""
    here = TABLE.c.site == bindparam("at_site"), TABLE.c.agent == bindparam("at_agent")
    places = [{"at_site": one.site, "at_agent": one.agent or _EVERY} for one in change.spots]
    await connection.execute(delete(TABLE).where(*here), places)
    if made := [_row(one.after) for one in change.spots if one.after is not None]:
        await connection.execute(insert(TABLE), made)
    await connection.execute(insert(CHANGE), [_change_row(change, one) for one in change.spots])
    await add_entries(connection, [_entry(change, spot) for spot in change.spots])


def _change_row(change: OverrideChange, spot: SpotChange) -> dict[str, Any]:
    return {
        "number": change.number,
        "site": spot.site,
        "agent": spot.agent or _EVERY,
        "time": change.time,
        "who": change.by,
        "cause": change.cause,
        "before": _json(spot.before),
        "after": _json(spot.after),
        "undoes": change.undoes,
    }


async def read_change(connection: AsyncConnection, number: int) -> OverrideChange | None:
    """Read a change, whole; None: there is none, or it is forgotten."""
    wanted = select(CHANGE).where(CHANGE.c.number == number).order_by(CHANGE.c.site, CHANGE.c.agent)
    rows = (await connection.execute(wanted)).all()
    if not rows:
        return None
    first = rows[0]
    spots = tuple(_spot(row) for row in rows)
    return OverrideChange(first.number, first.time, first.who, first.cause, spots, first.undoes)


async def last_change(connection: AsyncConnection, site: str, agent: str | None) -> OverrideChange | None:
    """Read the last change that there was at a place; None: there was none, or it is forgotten."""
    newest = select(func.max(CHANGE.c.number)).where(*_at(CHANGE, site, agent))
    number = (await connection.execute(newest)).scalar_one()
    return None if number is None else await read_change(connection, number)


async def changed_since(connection: AsyncConnection, number: int) -> Mapping[Spot, int]:
    """Tell which places were changed after that change, and the number of the last change of each."""
    later = select(CHANGE.c.site, CHANGE.c.agent, func.max(CHANGE.c.number)).where(CHANGE.c.number > number)
    rows = await connection.execute(later.group_by(CHANGE.c.site, CHANGE.c.agent))
    return {(site, agent or None): last for site, agent, last in rows}


async def read_earlier(connection: AsyncConnection, since: float) -> tuple[Override, ...]:
    """Read the overrides as they were before the first change that was made at that time or later."""
    held = {one.spot: one for one in await read_overrides(connection)}
    changed = select(CHANGE).where(CHANGE.c.time >= since).order_by(CHANGE.c.number.desc())
    for row in await connection.execute(changed):
        spot = _spot(row)
        held.pop((spot.site, spot.agent), None)
        if spot.before is not None:
            held[spot.site, spot.agent] = spot.before
    return tuple(held.values())


async def prune_changes(connection: AsyncConnection, before: float) -> None:
    """Forget changes from before that time, but the last: numbers go on from it."""
    newest = select(func.max(CHANGE.c.number)).scalar_subquery()
    await connection.execute(delete(CHANGE).where(CHANGE.c.time < before, CHANGE.c.number < newest))


def _at(table: Any, site: str, agent: str | None) -> tuple[Any, Any]:
    return table.c.site == site, table.c.agent == (agent or _EVERY)


def _override(row: Row[Any]) -> Override:
    values: tuple[Any, ...] = tuple(row)
    found = Override(*values)
    return found if found.agent != _EVERY else structs.replace(found, agent=None)


def _row(override: Override) -> dict[str, Any]:
    return structs.asdict(override) | {"agent": override.agent or _EVERY}


def _json(override: Override | None) -> str | None:
    return None if override is None else msgspec.json.encode(override).decode()


def _spot(row: Row[Any]) -> SpotChange:
    return SpotChange(row.site, row.agent or None, _held(row.before), _held(row.after))


def _held(written: str | None) -> Override | None:
    try:
        return None if written is None else msgspec.json.decode(written, type=Override)
    except UNREADABLE as error:
        raise StoreCorruptError(f"a change of overrides is damaged in the store: {error}") from error


def _entry(change: OverrideChange, spot: SpotChange) -> JournalEntry:
    return JournalEntry(
        time=change.time,
        kind=KIND.name,
        old=_value(spot.before),
        new=_value(spot.after),
        agent=spot.agent,
        site=spot.site,
        cause=f"{change.cause}, change {change.number}",
        by=change.by,
    )


def _value(override: Override | None) -> Value:
    if override is None:
        return None
    return {
        "state": override.state,
        "running_slots": override.running,
        "pending_slots": override.pending,
        "mode": override.mode,
        "until": iso(override.until),
        "reason": override.reason,
        "subject": override.subject,
        "made": iso(override.made),
        "version": override.version,
    }
