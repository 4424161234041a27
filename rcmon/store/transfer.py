"""A whole store in and out, while it is used: to an archive and from it, as a copy, and looked through."""

import asyncio
import sqlite3
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Table, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import StoreCorruptError, StoreError
from rcmon.store.archive import ArchiveHead, ArchiveWriter, TableRows, fresh, read_archive, settle
from rcmon.store.migrations import revisions
from rcmon.store.notes import MADE, Note, add_note
from rcmon.store.snapshots import newest_id
from rcmon.store.sqlite import connect, first_fault
from rcmon.store.store import Store
from rcmon.store.tables import ABOUT, ASSIGNMENT, DOCUMENT, LEASE, METADATA, NOTE, POLLER

LONG = 86400.0
"""Seconds that one of these may take at most, for `Store(longest=LONG)`."""
_AT_ONCE = 200
"""TableRows that are held in memory at a time."""
_KEPT = tuple(table for table in METADATA.sorted_tables if table not in (LEASE, POLLER, ASSIGNMENT))
"""What is moved: who collects and polls now is nobody else's business."""


async def export_store(store: Store, path: Path) -> dict[str, int]:
    """Write every row to an archive, as all of them were at one moment; gives the number of rows by table."""
    writer = ArchiveWriter(path, len(revisions()), time.time())
    try:
        async for rows in _rows(store):
            await asyncio.to_thread(writer.add, rows)
        return await asyncio.to_thread(writer.finish)
    finally:
        writer.close()


async def import_archive(store: Store, path: Path) -> dict[str, int]:
    """Fill a store that holds nothing yet from an archive, in one transaction; gives the rows by table.

    Raises StoreError where the store holds something, or the archive is of another version or not whole:
    then nothing of it is kept.
    """
    frames = read_archive(path)
    head = next(frames)
    if not isinstance(head, ArchiveHead) or head.version != len(revisions()):
        theirs = head.version if isinstance(head, ArchiveHead) else "none"
        raise StoreError(
            f"{path} is of schema version {theirs}, this rcmon's is {len(revisions())}: import it with the"
            " rcmon that wrote it, and let a newer one upgrade the store"
        )
    async with store.transaction() as connection:
        counts = await _fill(connection, _archived(frames), str(store.address))
        await add_note(connection, Note(time.time(), MADE, f"the store was filled from {path.name}"))
    return counts


async def back_up(store: Store, path: Path) -> int:
    """Copy a store, whole and as it was at one moment, into a file that is an SQLite store; gives its octets.

    Whoever writes goes on meanwhile. The copy is looked through before it stands there.
    """
    if store.address.path is not None:
        return await asyncio.to_thread(_copy, store.address.path, path)
    part = fresh(path)
    copy = Store(f"sqlite:///{part}", longest=LONG)
    try:
        await copy.migrate()
        async with copy.transaction() as connection:
            await _fill(connection, _rows(store), str(part))
        await copy.close()
        return await asyncio.to_thread(_copy, part, path)
    finally:
        await copy.close()
        for name in (part.name, f"{part.name}-wal", f"{part.name}-shm"):
            part.with_name(name).unlink(missing_ok=True)


async def check_store(store: Store) -> dict[str, int]:
    """Look through a whole store; gives the number of rows by table. Raises StoreCorruptError, StoreError."""
    await store.read_back(await store.look(newest_id))
    counts: Counter[str] = Counter()
    async for rows in _rows(store):
        counts[rows.table] += len(rows.rows)
        if rows.table == DOCUMENT.name:
            _check_documents(rows)
    return dict(counts)


def _check_documents(rows: TableRows) -> None:
    at = {name: rows.columns.index(name) for name in ("snapshot", "key", "body", "checksum")}
    for row in rows.rows:
        if zlib.crc32(row[at["body"]]) != row[at["checksum"]]:
            raise StoreCorruptError(
                f"document {row[at['key']]!r} of snapshot {row[at['snapshot']]} is damaged"
            )


async def _rows(store: Store) -> AsyncIterator[TableRows]:
    async with store.asking() as connection:
        for table in _KEPT:
            name, columns = str(table.name), tuple(map(str, table.columns.keys()))
            found = await connection.stream(select(table))
            async for some in found.partitions(_AT_ONCE):
                yield TableRows(name, columns, [tuple(row) for row in some])


async def _archived(frames: Iterator[ArchiveHead | TableRows]) -> AsyncIterator[TableRows]:
    while (frame := await asyncio.to_thread(next, frames, None)) is not None:
        if isinstance(frame, TableRows):
            yield frame


async def _fill(connection: AsyncConnection, given: AsyncIterator[TableRows], place: str) -> dict[str, int]:
    tables = {table.name: table for table in _KEPT}
    for table in _KEPT:
        if table not in (NOTE, ABOUT) and (await connection.execute(select(table).limit(1))).first():
            raise StoreError(f"{place} holds something already ({table.name}): name a new one")
    for table in reversed(_KEPT):
        await connection.execute(delete(table))
    counts: Counter[str] = Counter()
    async for some in given:
        if some.table not in tables:
            raise StoreError(f"the archive has a table {some.table!r} that this rcmon does not know")
        rows = [dict(zip(some.columns, row, strict=True)) for row in some.rows]
        await connection.execute(insert(tables[some.table]), rows)
        counts[some.table] += len(rows)
    await connection.run_sync(_go_on_from)
    return dict(counts)


def _go_on_from(connection: Connection) -> None:
    """Let new numbers follow those that were brought; SQLite sees to that by itself."""
    if connection.dialect.name == "sqlite":
        return
    named = "CAST(CAST(:name AS text) AS regclass)"
    move = text(f"SELECT setval({named}, greatest(nextval({named}), CAST(:newest AS bigint)))")
    for table in _KEPT:
        if isinstance(name := _sequence(connection, table), str):
            newest = connection.execute(select(func.max(table.c.id))).scalar_one()
            connection.execute(move, {"name": name, "newest": newest or 0})


def _sequence(connection: Connection, table: Table) -> str | None:
    if "id" not in table.columns:
        return None
    asked = text("SELECT pg_get_serial_sequence(:table, 'id')")
    found: str | None = connection.execute(asked, {"table": table.name}).scalar_one()
    return found


def _copy(source: Path, path: Path) -> int:
    part = fresh(path).with_suffix(".copy")
    try:
        part.touch(mode=0o600, exist_ok=False)
        with closing(connect(source)) as ours, closing(sqlite3.connect(part)) as theirs:
            ours.backup(theirs)  # in one step: no writer makes it begin again, nor waits
            theirs.execute("PRAGMA journal_mode=DELETE")  # one file, that needs no log beside it
            if fault := first_fault(theirs):
                raise StoreCorruptError(f"{source}: {fault}")
        with part.open("rb+") as file:
            size = file.seek(0, 2)
            settle(file, part, path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{source} cannot be copied to {path}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return size
