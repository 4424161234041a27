"""Notes: what happened to the store itself, kept in it so that every process can tell."""

import logging
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.store.tables import NOTE

LOG = logging.getLogger(__name__)

MADE = "made"
"""The store was made afresh: whatever was known before is not in it."""
SET_ASIDE = "set_aside"
"""The store was damaged: its file was moved to the name that the text tells, or lost tables made again."""
LOST = "lost"
"""Something in the store could not be read and was given up, alone: the text tells what."""
NEWEST = 20
"""How many notes are shown."""


class Note(Struct, frozen=True):
    """Something that happened to the store."""

    time: float
    kind: str
    """MADE, SET_ASIDE or LOST."""
    text: str


async def add_note(connection: AsyncConnection, note: Note) -> None:
    """Keep a note."""
    await connection.execute(insert(NOTE), {"time": note.time, "kind": note.kind, "text": note.text})


async def add_lost(connection: AsyncConnection, text: str, now: float) -> None:
    """Keep a note, and in the log, that something was given up.

    It takes the place of the one before: many must not drive out those of the whole store.
    """
    LOG.warning("%s: it is given up, all else stays", text)
    await connection.execute(delete(NOTE).where(NOTE.c.kind == LOST))
    await add_note(connection, Note(now, LOST, text))


def read_notes(connection: Connection) -> tuple[Note, ...]:
    """Read the newest notes, oldest first."""
    columns = NOTE.c.time, NOTE.c.kind, NOTE.c.text
    rows = connection.execute(select(*columns).order_by(NOTE.c.id.desc()).limit(NEWEST))
    return tuple(Note(row.time, row.kind, row.text) for row in reversed(rows.all()))


def set_aside_since(notes: Sequence[Note], since: float) -> Note | None:
    """Give the newest note from that time on that says that a store was set aside; None: there is none."""
    return next((note for note in reversed(notes) if note.kind == SET_ASIDE and note.time >= since), None)


async def prune_notes(connection: AsyncConnection) -> None:
    """Forget all but the newest notes."""
    newest = select(NOTE.c.id).order_by(NOTE.c.id.desc()).limit(NEWEST)
    await connection.execute(delete(NOTE).where(NOTE.c.id.not_in(newest)))
