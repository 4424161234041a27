"""Forgetting what is old, and giving its space back: in short transactions, so that nobody waits long."""

import itertools

from rcmon.store.history import SERIES_AT_ONCE, prune_history, read_series
from rcmon.store.notes import prune_notes
from rcmon.store.reports import prune_reports
from rcmon.store.store import Store
from rcmon.store.vacuum import vacuum


async def prune(store: Store, before: float) -> None:
    """Delete history that ended before that time, old reports and notes, and give free space back."""
    async with store.transaction() as connection:
        await prune_notes(connection)
        await prune_reports(connection, before)
        series = iter(await read_series(connection))
    while some := list(itertools.islice(series, SERIES_AT_ONCE)):
        async with store.transaction() as connection:
            await prune_history(connection, some, before)
    more = not store.shared
    while more:
        # SQLite's own transactions: one of ours must not be open
        async with store.transaction() as connection:
            more = await vacuum(connection)
