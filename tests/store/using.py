"""What tests ask of a store, each in a transaction of its own."""

import asyncio
import math
from collections.abc import Sequence

from rcmon.documents.keys import FORMAT
from rcmon.model import Document, HistoryRow, Snapshot
from rcmon.model.journal import JournalEntry
from rcmon.store import Store, history, lease, snapshots
from rcmon.store.extract import Span, read_site
from rcmon.store.journal import add_entries
from rcmon.store.lease import Term
from rcmon.store.notes import Note, read_notes


async def save(
    store: Store,
    snapshot: Snapshot,
    documents: Sequence[Document],
    rows: Sequence[HistoryRow],
    holder: Term | None = None,
    *,
    journal: Sequence[JournalEntry] = (),
) -> int:
    packed = await asyncio.to_thread(snapshots.pack_all, snapshot, documents)
    async with store.transaction() as connection:
        if holder is not None:
            await lease.hold_lease(connection, holder, 60.0)
        await history.add_history(connection, rows)
        await add_entries(connection, journal)
        return await snapshots.add_snapshot(connection, packed, FORMAT)


async def newest_id(store: Store) -> int | None:
    return await store.look(snapshots.newest_id)


async def load_documents(store: Store, number: int) -> Sequence[Document]:
    loaded = await store.look(lambda connection: snapshots.load(connection, number))
    return loaded.documents if loaded else []


async def last_snapshot(store: Store) -> Snapshot | None:
    async with store.reading() as connection:
        return await snapshots.last_snapshot(connection)


async def past(store: Store, agent: str, site: str, since: float) -> list[HistoryRow]:
    """Read what one site in one agent became, oldest first, with the row that held at `since`."""
    async with store.asking() as connection:
        found = await read_site(connection, site, Span(since, math.inf, 10_000, agent))
    return [*found.held, *found.changes]


async def notes(store: Store) -> tuple[Note, ...]:
    return await store.look(read_notes)


async def kinds(store: Store) -> list[str]:
    return [note.kind for note in await notes(store)]


async def acquire_lease(
    store: Store, term: Term, seconds: float, now: float | None = None, *, succeeds: bool = False
) -> bool:
    """Take the lease longer, or begin the term."""
    async with store.transaction() as connection:
        if await lease.renew_lease(connection, term, seconds, now):
            return True
        return await lease.take_lease(connection, term, seconds, now, succeeds=succeeds) is None


async def release_lease(store: Store, term: Term) -> None:
    async with store.transaction() as connection:
        await lease.drop_lease(connection, term)
