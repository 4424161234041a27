"""The statements about acknowledgements of findings. Each runs in its caller's transaction."""

from msgspec import Struct, structs
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.model.journal import ACKNOWLEDGEMENT as KIND
from rcmon.model.journal import JournalEntry
from rcmon.store.journal import add_entries
from rcmon.store.tables import ACKNOWLEDGEMENT as TABLE
from rcmon.store.turn import take_turn
from rcmon.timestamps import iso

MOST = 10_000
"""How many are read."""


class Acknowledgement(Struct, frozen=True):
    """Somebody knows of a finding, and says until when that is enough. Times: seconds since the epoch."""

    finding: str
    """Its id."""
    made: float
    until: float
    subject: str
    """Whose certificate acknowledged it."""
    reason: str


async def keep_acknowledgement(connection: AsyncConnection, made: Acknowledgement) -> None:
    """Keep an acknowledgement in place of the one before, and write it in the journal.

    One that says the same as the one before, by the same person, is that one, asked for again.
    """
    await take_turn(connection, TABLE)
    before = await _read(connection, made.finding)
    if before is not None and structs.replace(made, made=before.made) == before:
        return
    await connection.execute(delete(TABLE).where(TABLE.c.finding == made.finding))
    values = {name: getattr(made, name) for name in made.__struct_fields__}
    await connection.execute(insert(TABLE).values(values))
    held = before if before is not None and before.until > made.made else None
    await add_entries(connection, [_entry(made.finding, made.made, held, made, made.subject)])


async def end_acknowledgement(connection: AsyncConnection, finding: str, now: float, by: str) -> bool:
    """End a finding's acknowledgement, and write so in the journal; tells whether there was one.

    `now`: seconds since the epoch; `by`: whose certificate ends it.
    """
    await take_turn(connection, TABLE)
    before = await _read(connection, finding)
    if before is None:
        return False
    await connection.execute(delete(TABLE).where(TABLE.c.finding == finding))
    if before.until > now:
        await add_entries(connection, [_entry(finding, now, before, None, by)])
    return True


async def _read(connection: AsyncConnection, finding: str) -> Acknowledgement | None:
    columns = [TABLE.c[name] for name in Acknowledgement.__struct_fields__]
    row = (await connection.execute(select(*columns).where(TABLE.c.finding == finding))).first()
    return None if row is None else Acknowledgement(*row)


def _entry(
    finding: str, now: float, old: Acknowledgement | None, new: Acknowledgement | None, by: str
) -> JournalEntry:
    return JournalEntry(now, KIND.name, _value(old), _value(new), subject=finding, cause="operator", by=by)


def _value(one: Acknowledgement | None) -> dict[str, object] | None:
    return None if one is None else {"until": iso(one.until), "reason": one.reason}


async def read_acknowledgements(connection: AsyncConnection) -> tuple[Acknowledgement, ...]:
    """Read those that last longest, by finding; also those whose time is over: the clock may be wrong."""
    columns = [TABLE.c[name] for name in Acknowledgement.__struct_fields__]
    rows = await connection.execute(select(*columns).order_by(TABLE.c.until.desc()).limit(MOST))
    return tuple(sorted((Acknowledgement(*row) for row in rows), key=lambda one: one.finding))


async def prune_acknowledgements(connection: AsyncConnection, before: float) -> None:
    """Forget those that ended before that time."""
    await connection.execute(delete(TABLE).where(TABLE.c.until < before))
