"""Any choice of the snapshot's families and agents, put together from deflated bytes that are there."""

import hashlib
from collections.abc import Iterator

from rcmon.documents import keys
from rcmon.documents.checksum import followed
from rcmon.documents.deflated import DIGEST_LENGTH
from rcmon.documents.pieces import FamilyPieces, PiecesIndex
from rcmon.exposition.formats import MEDIA_TYPES, Format
from rcmon.model import Document
from rcmon.web.api.scrape import Selection
from rcmon.web.board import Held

DOCUMENTS: dict[Format, str] = {
    "text": keys.METRICS_TEXT,
    "openmetrics": keys.METRICS_OPENMETRICS,
}
_MOST_KEPT = 8 << 20
"""Deflated bytes of choices that are kept for who asks again: an agent of 10 000 series is some 60 KB."""

Stretch = tuple[memoryview, int, int]
"""Deflated bytes, and size and CRC of the plain ones."""


class Choices:
    """Makes choices of the snapshots that it is given, and keeps those of the newest."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._kept: dict[tuple[Format, Selection], Document] = {}
        self._size = 0

    def document(self, held: Held, index: PiecesIndex, form: Format, chosen: Selection) -> Document:
        """Give an open-ended document. Raises Problem 503 where the snapshot was made without its pieces."""
        if held.number != self._number:
            self._number, self._kept, self._size = held.number, {}, 0
        found = self._kept.get((form, chosen))
        if found is None:
            found = put_together(held, index, form, chosen)
            if self._size + len(found.body) > _MOST_KEPT:
                self._kept, self._size = {}, 0
            self._kept[form, chosen] = found
            self._size += len(found.body)
        return found


def put_together(held: Held, index: PiecesIndex, form: Format, chosen: Selection) -> Document:
    """Put a document together; see `Choices.document`."""
    whole, small = held.document(DOCUMENTS[form]), held.document(keys.METRICS_PIECES)
    views = memoryview(whole.body), memoryview(small.body)
    size, crc = 0, 0
    bodies = []
    for family in index.families:
        if chosen.has(family.name):
            for body, length, crc32 in _stretches(family, form, chosen, *views):
                bodies.append(body)
                crc = followed(crc, crc32, length)
                size += length
    return Document(
        whole.key, MEDIA_TYPES[form], b"".join(bodies), size, crc, _digest(whole, chosen), open_ended=True
    )


def _digest(whole: Document, chosen: Selection) -> str:
    """Hash what the choice is made of; the same in every worker."""
    names = [None if some is None else sorted(some) for some in (chosen.agents, chosen.families)]
    told = f"{whole.digest} {chosen.common} {names}"
    return hashlib.sha256(told.encode()).hexdigest()[:DIGEST_LENGTH]


def _stretches(
    family: FamilyPieces, form: Format, chosen: Selection, whole: memoryview, small: memoryview
) -> Iterator[Stretch]:
    """Give a family's head and pieces; nothing where no piece is chosen."""
    pieces = [piece for piece in family.pieces if chosen.is_of(piece.agent)]
    if not pieces:
        return
    head = family.heads[form]
    behind = head.begin + head.length
    yield whole[head.begin : behind], head.size, head.crc32
    for piece in pieces:
        body, begin = (whole, behind + piece.begin) if piece.shared else (small, piece.begin)
        yield body[begin : begin + piece.length], piece.size, piece.crc32
