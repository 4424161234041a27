"""The statements about snapshots and their documents. Each runs in its caller's transaction."""

import zlib
from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import StoreCorruptError
from rcmon.model import Document
from rcmon.store.tables import DOCUMENT, SNAPSHOT

Row = dict[str, object]


def document_rows(documents: Sequence[Document]) -> list[Row]:
    """Shape documents for `add_snapshot`, with the checksum that `read_documents` looks at."""
    return [
        {
            "key": document.key,
            "media_type": document.media_type,
            "body": document.body,
            "size": document.size,
            "crc32": document.crc32,
            "digest": document.digest,
            "open_ended": document.open_ended,
            "checksum": zlib.crc32(document.body),
        }
        for document in documents
    ]


async def newest_id(connection: AsyncConnection) -> int | None:
    """Read the newest snapshot's id; None: there is none."""
    newest: int | None = (await connection.execute(select(func.max(SNAPSHOT.c.id)))).scalar_one()
    return newest


async def drop_snapshots(connection: AsyncConnection, keep: int) -> None:
    """Delete all but the newest `keep` snapshots and, with them, their documents."""
    newest = select(SNAPSHOT.c.id).order_by(SNAPSHOT.c.id.desc()).limit(keep)
    await connection.execute(delete(SNAPSHOT).where(SNAPSHOT.c.id.not_in(newest)))


async def add_snapshot(
    connection: AsyncConnection, started: float, finished: float, packed: bytes, documents: Sequence[Row]
) -> int:
    """Insert a snapshot with its documents; returns its id."""
    values = {"started": started, "finished": finished, "document": packed}
    statement = insert(SNAPSHOT).values(values).returning(SNAPSHOT.c.id)
    number = int((await connection.execute(statement)).scalar_one())
    if documents:
        await connection.execute(insert(DOCUMENT), [{**row, "snapshot": number} for row in documents])
    return number


async def read_documents(connection: AsyncConnection, number: int) -> list[Document]:
    """Read a snapshot's documents; raises StoreCorruptError where a body is not what was saved."""
    found = await connection.execute(select(DOCUMENT).where(DOCUMENT.c.snapshot == number))
    documents = []
    for row in found:
        body = bytes(row.body)
        if zlib.crc32(body) != row.checksum:
            raise StoreCorruptError(f"document {row.key!r} of snapshot {number} is damaged in the store")
        documents.append(
            Document(row.key, row.media_type, body, row.size, row.crc32, row.digest, bool(row.open_ended))
        )
    return documents


async def read_packed(connection: AsyncConnection) -> list[bytes]:
    """Read the kept snapshots, encoded, newest first."""
    found = await connection.execute(select(SNAPSHOT.c.document).order_by(SNAPSHOT.c.id.desc()))
    return [bytes(row.document) for row in found]
