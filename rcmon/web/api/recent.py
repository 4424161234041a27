"""The newest entries of the journal about something, and since when it tells of every change."""

from msgspec import Struct

from rcmon.store import Store
from rcmon.store.journal import JournalSpan, NumberedEntry, journal_begin, read_journal

MOST = 1000
"""Changes of states that are looked at."""


class Recent(Struct, frozen=True):
    """Entries, newest first."""

    entries: list[NumberedEntry]
    kept: float | None
    """Since when every change is among them, seconds since the epoch; None: nothing is kept at all."""


async def read_recent(store: Store, asked: JournalSpan) -> Recent:
    """Read them; where there are more than are asked for, they tell since the oldest. Raises StoreError."""
    async with store.asking() as connection:
        entries = await read_journal(connection, asked)
        kept = await journal_begin(connection)
    return Recent(entries, entries[-1].entry.time if len(entries) >= asked.limit else kept)
