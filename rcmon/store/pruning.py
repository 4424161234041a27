"""Packing and forgetting what is old, and giving its space back: in short transactions, nobody waits long."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.store.acknowledgements import prune_acknowledgements
from rcmon.store.grid import prune_grid, thin_grid
from rcmon.store.history import SERIES_AT_ONCE, prune_history, read_series
from rcmon.store.horizons import UNKNOWN, read_horizons, set_horizon
from rcmon.store.journal import prune_journal
from rcmon.store.notes import prune_notes
from rcmon.store.overrides import prune_changes
from rcmon.store.packing import COARSE, pack_series, thin
from rcmon.store.reports import prune_reports
from rcmon.store.store import Store
from rcmon.store.vacuum import vacuum

PACKED_AT_ONCE = 5
"""Series that one transaction packs: some tens of milliseconds."""
HOURS = 10_800
"""Rows are packed by so many seconds at a time, on a fixed grid."""
LEFT = 3600.0
"""The newest rows, so many seconds, stay: a clock that is set back a little meets no packed ones."""


Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Begins a transaction that may write."""


class Ages(Struct, frozen=True):
    """How long history is kept, seconds."""

    kept: float
    raw: float
    """Every change; after that, what held at each quarter of an hour."""
    journal: float = 365 * 86400.0


async def prune(store: Store, ages: Ages, now: float) -> None:
    """Do all of `upkeep` at once."""
    async for _ in upkeep(store.transaction, ages, now, gives_back=not store.shared):
        pass


async def upkeep(begin: Begin, ages: Ages, now: float, *, gives_back: bool) -> AsyncIterator[None]:
    """Pack, thin and delete history by age, delete old notes, and give free space back where that is ours.

    It may be left off at each step: what is done is seen in the store, and the next time it goes on.
    `now`: seconds since the epoch.
    """
    before = now - ages.kept
    raw = (now - ages.raw) // COARSE * COARSE
    packed = (now - LEFT) // HOURS * HOURS
    async with begin() as connection:
        await prune_notes(connection)
        await prune_reports(connection, now - min(ages.kept, ages.raw))
        await prune_acknowledgements(connection, now - min(ages.kept, ages.raw))
        series = await read_series(connection)
        horizons = await connection.run_sync(read_horizons)
        for name, time in (("packed", packed), ("raw", raw), ("kept", before)):
            # told before it is true: nobody takes less for more
            if time > (known := getattr(horizons, name)) or known == UNKNOWN:
                await set_horizon(connection, name, time)
    yield
    async for _ in _pack(begin, series, packed):
        yield
    for first in range(0, len(series), SERIES_AT_ONCE):
        some = series[first : first + SERIES_AT_ONCE]
        async with begin() as connection:
            await thin(connection, some, raw)
            await prune_history(connection, some, before)
        yield
    async for _ in _grid(begin, raw, before):
        yield
    async with begin() as connection:
        await prune_changes(connection, now - ages.journal)
    yield
    more = True
    while more:
        async with begin() as connection:
            more = await prune_journal(connection, now - ages.journal)
        yield
    more = gives_back
    while more:
        # SQLite's own transactions: one of ours must not be open
        async with begin() as connection:
            more = await vacuum(connection)
        yield


async def _pack(begin: Begin, series: list[int], before: float) -> AsyncIterator[None]:
    for first in range(0, len(series), PACKED_AT_ONCE):
        left = series[first : first + PACKED_AT_ONCE]
        while left:
            async with begin() as connection:
                left = [one for one in left if await pack_series(connection, one, before)]
            yield


async def _grid(begin: Begin, raw: float, before: float) -> AsyncIterator[None]:
    done, more = before, True
    while done < raw:
        async with begin() as connection:
            done = await thin_grid(connection, done, raw)
        yield
    while more:
        async with begin() as connection:
            more = await prune_grid(connection, before)
        yield
