"""Polls that the replica which collects leaves to others that share its store. In their caller's transaction.

An assignment lasts as long as a poll: who collects makes it, the replica that it names takes it and says
what came of it, and who collects takes it away. Its ticket, which nobody had before, is what tells one of a
source from the next: whoever is late, since it slept or was cut off, finds no row with its ticket any more.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs
from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.store.lease import database_clock
from rcmon.store.tables import ASSIGNMENT, POLLER

_OPEN = and_(ASSIGNMENT.c.error.is_(None), ASSIGNMENT.c.batch.is_(None))

FORGOTTEN = 3600.0
"""Seconds after which a replica that said nothing any more is forgotten: its name may never come back."""


class Assignment(Struct, frozen=True):
    """One poll of one source."""

    ticket: str
    """No other assignment has it."""
    source: str
    kind: str
    started: float
    """Begin of the poll as who collects tells the time, seconds since the epoch: all ages count from it."""


class Outcome(Struct, frozen=True):
    """How far an assignment is: of `batch` and `error` at most one is there."""

    ticket: str
    taken: bool
    """Whether the replica that is to poll has taken it up."""
    batch: bytes | None = None
    """See `rcmon.store.codec`."""
    error: str | None = None
    """Why the poll failed, in one line free of secrets."""


async def announce(
    connection: AsyncConnection, replica: str, release: str, seconds: float, now: float | None = None
) -> None:
    """Say that a replica of that release can poll for others, for so many seconds from now."""
    values = {"release": release, "expires": database_clock(connection, now) + seconds}
    known = await connection.execute(update(POLLER).where(POLLER.c.replica == replica).values(values))
    if not known.rowcount:
        gone = POLLER.c.expires < database_clock(connection, now) - FORGOTTEN
        await connection.execute(delete(POLLER).where(gone))
        await connection.execute(insert(POLLER).values(replica=replica, **values))


async def resign(connection: AsyncConnection, replica: str) -> None:
    """Say that a replica polls for nobody any more."""
    await connection.execute(delete(POLLER).where(POLLER.c.replica == replica))


async def pollers(
    connection: AsyncConnection, release: str, seconds: float, now: float | None = None
) -> frozenset[str]:
    """Give the names of the replicas of that release that can poll.

    `seconds` for which they announce it: what lasts longer than twice that was said before the clock was set
    back, and by one that says nothing any more.
    """
    clock = database_clock(connection, now)
    lasts = and_(POLLER.c.expires > clock, POLLER.c.expires <= clock + 2 * seconds)
    there = select(POLLER.c.replica).where(POLLER.c.release == release, lasts)
    return frozenset(row[0] for row in await connection.execute(there))


async def assign(connection: AsyncConnection, replica: str, wanted: Sequence[Assignment]) -> None:
    """Leave polls to a replica, in place of whatever was assigned of their sources before."""
    if not wanted:
        return
    sources = [one.source for one in wanted]
    await connection.execute(delete(ASSIGNMENT).where(ASSIGNMENT.c.source.in_(sources)))
    rows = [{**structs.asdict(one), "replica": replica, "taken": False} for one in wanted]
    await connection.execute(insert(ASSIGNMENT), rows)


async def withdraw(connection: AsyncConnection, tickets: Iterable[str] | None) -> None:
    """Take assignments away, whatever came of them; None: all."""
    if tickets is None:
        await connection.execute(delete(ASSIGNMENT))
    elif some := [*tickets]:
        await connection.execute(delete(ASSIGNMENT).where(ASSIGNMENT.c.ticket.in_(some)))


async def assigned(connection: AsyncConnection, replica: str) -> Sequence[Assignment]:
    """Give what a replica is to poll, and what it polls: nothing came of it yet."""
    columns = ASSIGNMENT.c.ticket, ASSIGNMENT.c.source, ASSIGNMENT.c.kind, ASSIGNMENT.c.started
    wanted = select(*columns).where(ASSIGNMENT.c.replica == replica, _OPEN).order_by(ASSIGNMENT.c.source)
    return [Assignment(*row) for row in await connection.execute(wanted)]


async def take(connection: AsyncConnection, tickets: Sequence[str]) -> None:
    """Say that these are taken up."""
    if tickets:
        taken = update(ASSIGNMENT).where(ASSIGNMENT.c.ticket.in_(tickets))
        await connection.execute(taken.values(taken=True))


async def conclude(connection: AsyncConnection, outcome: Outcome) -> None:
    """Say what came of one; nothing is written where it was taken away meanwhile."""
    this = update(ASSIGNMENT).where(ASSIGNMENT.c.ticket == outcome.ticket)
    await connection.execute(this.values(taken=True, batch=outcome.batch, error=outcome.error))


async def outcomes(connection: AsyncConnection, tickets: Sequence[str]) -> Sequence[Outcome]:
    """Give those of these assignments that are taken up or more; others say nothing."""
    if not tickets:
        return []
    columns = ASSIGNMENT.c.ticket, ASSIGNMENT.c.taken, ASSIGNMENT.c.batch, ASSIGNMENT.c.error
    there = select(*columns).where(ASSIGNMENT.c.ticket.in_(tickets), or_(ASSIGNMENT.c.taken, ~_OPEN))
    return [Outcome(*row) for row in await connection.execute(there)]
