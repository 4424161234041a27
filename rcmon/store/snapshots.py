"""The statements about snapshots and their documents. Each runs in its caller's transaction."""

import asyncio
import logging
import zlib
from collections.abc import Collection, Sequence

from msgspec import Struct, structs
from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import StoreCorruptError
from rcmon.model import Document, Snapshot
from rcmon.store.codec import pack, unpack
from rcmon.store.tables import DOCUMENT, SNAPSHOT

LOG = logging.getLogger(__name__)

KEEP = 3
"""How many snapshots stay."""


class Packed(Struct, frozen=True):
    """A snapshot and its documents as they are stored."""

    started: float
    finished: float
    document: bytes
    rows: list[dict[str, object]]
    """Its documents, with the checksum that `load` looks at."""


class StoredDocuments(Struct, frozen=True):
    """A snapshot's documents as they were stored."""

    number: int
    format: int
    """The format of its documents: `rcmon.documents.keys.FORMAT` of the collector that made them."""
    documents: Sequence[Document]


def pack_all(snapshot: Snapshot, documents: Sequence[Document]) -> Packed:
    """Shape a snapshot for `add_snapshot`; it takes some tens of milliseconds, so do it in a thread."""
    rows: list[dict[str, object]] = [
        structs.asdict(document) | {"checksum": zlib.crc32(document.body)} for document in documents
    ]
    return Packed(snapshot.started, snapshot.started + snapshot.duration, pack(snapshot), rows)


def newest_id(connection: Connection) -> int | None:
    """Read the newest snapshot's id; None: there is none."""
    newest: int | None = connection.execute(select(func.max(SNAPSHOT.c.id))).scalar_one()
    return newest


async def add_snapshot(connection: AsyncConnection, packed: Packed, written: int, keep: int = KEEP) -> int:
    """Insert a snapshot with its documents of format `written`; returns its id. Ids only grow.

    Old snapshots go first, so that their space is used again.
    """
    newest = select(SNAPSHOT.c.id).order_by(SNAPSHOT.c.id.desc()).limit(keep - 1)
    await connection.execute(delete(SNAPSHOT).where(SNAPSHOT.c.id.not_in(newest)))
    values = {
        "started": packed.started,
        "finished": packed.finished,
        "document": packed.document,
        "format": written,
    }
    statement = insert(SNAPSHOT).values(values).returning(SNAPSHOT.c.id)
    number = int((await connection.execute(statement)).scalar_one())
    if packed.rows:
        await connection.execute(insert(DOCUMENT), [{**row, "snapshot": number} for row in packed.rows])
    return number


def load_between(
    connection: Connection, after: int, before: int, only: Collection[str]
) -> list[StoredDocuments]:
    """Read `only` some documents of the snapshots that are there between two numbers, oldest first."""
    number = SNAPSHOT.c.id
    there = select(number).where(number > after, number < before).order_by(number)
    loaded = [load(connection, found, only) for found in connection.execute(there).scalars().all()]
    return [one for one in loaded if one is not None]


def load(connection: Connection, number: int, only: Collection[str] | None = None) -> StoredDocuments | None:
    """Read a snapshot's documents, or `only` those of some keys; None where it is gone by now.

    Raises StoreCorruptError where a body is not what was saved.
    """
    of = select(SNAPSHOT.c.format).where(SNAPSHOT.c.id == number)
    written = connection.execute(of).scalar_one_or_none()
    if written is None:
        return None
    documents = []
    wanted = select(DOCUMENT).where(DOCUMENT.c.snapshot == number)
    if only is not None:
        wanted = wanted.where(DOCUMENT.c.key.in_(only))
    for row in connection.execute(wanted).all():
        body = bytes(row.body)
        if zlib.crc32(body) != row.checksum:
            raise StoreCorruptError(f"document {row.key!r} of snapshot {number} is damaged in the store")
        documents.append(
            Document(row.key, row.media_type, body, row.size, row.crc32, row.digest, bool(row.open_ended))
        )
    return StoredDocuments(number=number, format=written, documents=documents)


async def last_snapshot(connection: AsyncConnection) -> Snapshot | None:
    """Read the newest snapshot that can be read; None: there is none."""
    found = await connection.execute(select(SNAPSHOT.c.document).order_by(SNAPSHOT.c.id.desc()))
    for row in found.all():
        try:
            return await asyncio.to_thread(unpack, bytes(row.document))
        except StoreCorruptError as error:
            LOG.warning("an older snapshot is taken: %s", error)
    return None
