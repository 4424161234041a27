"""Writing families into both expositions, agent by agent, with note of where each agent's samples stand."""

from collections.abc import Iterator
from zlib import crc32

from msgspec import msgpack

from rcmon.documents.deflated import OpenEnded, Parting, Summed, complete
from rcmon.documents.keys import METRICS_INDEX, METRICS_OPENMETRICS, METRICS_PIECES, METRICS_TEXT
from rcmon.documents.pieces import WINDOW, AgentPiece, FamilyHead, FamilyPieces, PiecesIndex
from rcmon.exposition.formats import MEDIA_TYPES, Format, head
from rcmon.exposition.lines import blocks
from rcmon.model import Document
from rcmon.render.families.family import Family
from rcmon.render.families.view import Views
from rcmon.render.sites import MSGPACK


class Writer:
    """Writes one family after the other."""

    def __init__(self) -> None:
        self._both: dict[Format, OpenEnded] = {
            "text": OpenEnded(METRICS_TEXT, MEDIA_TYPES["text"]),
            "openmetrics": OpenEnded(METRICS_OPENMETRICS, MEDIA_TYPES["openmetrics"]),
        }
        self._small = OpenEnded(METRICS_PIECES, MEDIA_TYPES["text"])
        self._parting, self._small_parting = Parting(), Parting()
        self._index: list[FamilyPieces] = []

    def write(self, collector: str, family: Family, seen: Views) -> None:
        """Write a family; one without a sample has no head either."""
        heads: dict[str, FamilyHead] = {}
        pieces: list[AgentPiece] = []
        samples = _Samples(self._parting)
        for agent, plain in _by_agent(family, seen):
            if not heads:
                heads = {form: self._head(form, family) for form in self._both}
            counted = Summed.of(plain)
            for document in self._both.values():
                document.count(counted)
            begin, length = samples.add(plain)
            shared = bool(length)
            if not shared:
                begin, length = self._once_more(counted)
            pieces.append(AgentPiece(agent, begin, length, len(plain), crc32(plain), shared))
        deflated = samples.end()
        for document in self._both.values():
            document.append(deflated)
        self._index.append(FamilyPieces(family.name, collector, heads, tuple(pieces)))

    def documents(self) -> list[Document]:
        """Give all that was written."""
        agents = {piece.agent for family in self._index for piece in family.pieces}
        index = PiecesIndex(tuple(self._index), tuple(sorted(name for name in agents if name is not None)))
        written = [document.document() for document in (*self._both.values(), self._small)]
        return [*written, complete(METRICS_INDEX, MSGPACK, msgpack.encode(index), {})]

    def _head(self, form: Format, family: Family) -> FamilyHead:
        document = self._both[form]
        plain = head(form, family.name, family.kind, family.help)
        begin = document.length
        document.count(Summed.of(plain))
        document.append(self._parting.add(plain) + self._parting.end())
        return FamilyHead(begin, document.length - begin, len(plain), crc32(plain))

    def _once_more(self, counted: Summed) -> tuple[int, int]:
        """Write a small piece by itself; tells where it stands."""
        begin = self._small.length
        self._small.count(counted)
        self._small.append(self._small_parting.add(counted.plain) + self._small_parting.end())
        return begin, self._small.length - begin


class _Samples:
    """One family's samples, deflated: small pieces together, a large one by itself."""

    def __init__(self, parting: Parting) -> None:
        self._parting = parting
        self._deflated: list[bytes] = []
        self._length = 0
        self._open = False

    def add(self, plain: bytes) -> tuple[int, int]:
        """Add a piece: where it begins and how long it is, 0: it does not stand by itself."""
        if len(plain) < WINDOW:
            self._take(self._parting.add(plain))
            self._open = True
            return 0, 0
        if self._open:
            self._take(self._parting.end())
        begin, self._open = self._length, False
        self._take(self._parting.add(plain))
        self._take(self._parting.end())
        return begin, self._length - begin

    def end(self) -> bytes:
        """Give all of it."""
        if self._open:
            self._take(self._parting.end())
        return b"".join(self._deflated)

    def _take(self, deflated: bytes) -> None:
        self._deflated.append(deflated)
        self._length += len(deflated)


def _by_agent(family: Family, seen: Views) -> Iterator[tuple[str | None, bytes]]:
    """Give the samples of each agent that has some, then those of none."""
    if "agent" in family.labels:
        for agent, view in seen.agents.items():
            if plain := b"".join(blocks(family.name, family.samples(view))):
                yield agent, plain
    if plain := b"".join(blocks(family.name, family.samples(seen.common))):
        yield None, plain
