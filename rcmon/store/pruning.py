"""Forgetting what is old, and giving its space back: in short transactions, so that nobody waits long."""

import itertools

from rcmon.store.history import SERIES_AT_ONCE, prune_history, read_series
from rcmon.store.journal import prune_journal
from rcmon.store.notes import prune_notes
from rcmon.store.reports import prune_reports
from rcmon.store.store import Store
from rcmon.store.vacuum import vacuum


async def prune(store: Store, before: float, journal_before: float) -> None:
    """Delete history that ended before one time, the journal from before another, old reports and notes.

    The space that this frees is given back.
    """
    async with store.transaction() as connection:
        await prune_notes(connection)
        await prune_reports(connection, before)
        series = iter(await read_series(connection))
    while some := list(itertools.islice(series, SERIES_AT_ONCE)):
        async with store.transaction() as connection:
            await prune_history(connection, some, before)
    more = True
    while more:
        async with store.transaction() as connection:
            more = await prune_journal(connection, journal_before)
    more = not store.shared
    while more:
        # SQLite's own transactions: one of ours must not be open
        async with store.transaction() as connection:
            more = await vacuum(connection)
