"""The statements about history. Each runs in its caller's transaction.

A series (one site in one agent) is a step function: a row says what it became, and holds until the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import BindParameter, Row, Select, and_, bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.model import HistoryRow
from rcmon.store.tables import HISTORY, SERIES

SERIES_AT_ONCE = 50
"""How many series one transaction prunes."""

VALUES = ("state", "running_slots", "pending_slots", "running_jobs", "pending_jobs")


async def add_history(connection: AsyncConnection, rows: Sequence[HistoryRow]) -> None:
    """Insert rows, making series as needed.

    What a series has from that time on is replaced: the clock was set back, or the cycle ran again.
    """
    if not rows:
        return
    numbers = await _series(connection, {(row.agent, row.site) for row in rows})
    values = [
        {"series": numbers[row.agent, row.site], "time": row.time}
        | {name: getattr(row, name) for name in VALUES}
        for row in rows
    ]
    later = and_(HISTORY.c.series == bindparam("of"), HISTORY.c.time >= bindparam("since"))
    await connection.execute(
        delete(HISTORY).where(later), [{"of": value["series"], "since": value["time"]} for value in values]
    )
    await connection.execute(insert(HISTORY), values)


async def _series(connection: AsyncConnection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Find the numbers of series, making those that are new."""
    everything = select(SERIES.c.agent, SERIES.c.site, SERIES.c.id)
    numbers = {(row.agent, row.site): row.id for row in await connection.execute(everything)}
    if new := sorted(wanted - numbers.keys()):
        await connection.execute(insert(SERIES), [{"agent": agent, "site": site} for agent, site in new])
        numbers = {(row.agent, row.site): row.id for row in await connection.execute(everything)}
    return numbers


class Span(Struct, frozen=True):
    """What part of history is asked for; times in seconds since the epoch."""

    since: float
    until: float
    limit: int
    """How many changes at most."""
    agent: str | None = None
    """None: every agent."""


class Extract(Struct, frozen=True):
    """A part of one site's history."""

    known: bool
    """Whether anything at all is kept of it."""
    held: Sequence[HistoryRow]
    """What each agent's series was when the part begins: rows of that time or earlier, by agent."""
    changes: Sequence[HistoryRow]
    """What they became within it, oldest first. Changes of one time are never parted."""
    total: int
    """How many changes there are from its begin to the end that was asked for."""
    next: float | None
    """Where to go on; None: that is all."""


async def read_site(connection: AsyncConnection, site: str, span: Span) -> Extract:
    """Read a part of a site's history."""
    of_site = select(SERIES.c.id, SERIES.c.agent).where(SERIES.c.site == site)
    if span.agent is not None:
        of_site = of_site.where(SERIES.c.agent == span.agent)
    agents = {row.id: row.agent for row in await connection.execute(of_site)}
    within = and_(HISTORY.c.series.in_(agents), HISTORY.c.time > span.since, HISTORY.c.time <= span.until)
    counted = select(func.count()).select_from(HISTORY).where(within)
    total = int((await connection.execute(counted)).scalar_one())
    ordered = select(HISTORY).where(within).order_by(HISTORY.c.time, HISTORY.c.series).limit(span.limit + 1)
    rows = [_row(row, agents[row.series], site) for row in await connection.execute(ordered)]
    then = await connection.execute(_held(agents, span.since))
    held = [_row(row, agents[row.series], site) for row in then]
    next_time = None
    if len(rows) > span.limit:
        next_time = rows[-1].time
        rows = [row for row in rows if row.time < next_time] or await _at(connection, agents, site, next_time)
    return Extract(
        known=bool(agents),
        held=sorted(held, key=lambda row: row.agent),
        changes=rows,
        total=total,
        next=next_time if len(rows) < total else None,
    )


async def _at(
    connection: AsyncConnection, agents: Mapping[int, str], site: str, time: float
) -> list[HistoryRow]:
    """Read all changes of one time, where there are more than the limit: they are not parted."""
    same = select(HISTORY).where(HISTORY.c.series.in_(agents), HISTORY.c.time == time)
    return [_row(row, agents[row.series], site) for row in await connection.execute(same)]


def _held(series: Iterable[int], since: float) -> Select[Any]:
    """Select the row of each series that held at a time."""
    earlier = HISTORY.alias()
    latest = (
        select(func.max(earlier.c.time))
        .where(earlier.c.series == SERIES.c.id, earlier.c.time <= since)
        .correlate(SERIES)
        .scalar_subquery()
    )
    same = and_(HISTORY.c.series == SERIES.c.id, HISTORY.c.time == latest)
    return select(HISTORY).select_from(SERIES).join(HISTORY, same).where(SERIES.c.id.in_(series))


def _row(row: Row[Any], agent: str, site: str) -> HistoryRow:
    return HistoryRow(row.time, agent, site, **{name: getattr(row, name) for name in VALUES})


async def read_series(connection: AsyncConnection) -> list[int]:
    """Read the numbers of all series."""
    return list((await connection.execute(select(SERIES.c.id))).scalars())


async def prune_history(connection: AsyncConnection, series: Sequence[int], before: float) -> None:
    """Delete what ended before that time, and the series of which nothing is left.

    A series that lives keeps the row that held at that time, however old.
    """
    one: BindParameter[int] = bindparam("of")
    old = HISTORY.alias()
    held = select(func.max(old.c.time)).where(old.c.series == one, old.c.time <= before).scalar_subquery()
    over = and_(*(HISTORY.c[name].is_(None) for name in VALUES))
    latest = select(func.max(old.c.time)).where(old.c.series == one).scalar_subquery()
    each = [{"of": number} for number in series]
    for gone in (
        HISTORY.c.time < held,
        and_(HISTORY.c.time < before, HISTORY.c.time == latest, over),
    ):
        await connection.execute(delete(HISTORY).where(HISTORY.c.series == one, gone), each)
    left = select(HISTORY.c.series).where(HISTORY.c.series == SERIES.c.id).exists()
    await connection.execute(delete(SERIES).where(SERIES.c.id == one, ~left), each)
