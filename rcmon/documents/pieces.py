"""Where in the expositions' deflated bytes each agent's part of each family stands.

With it a worker puts together any choice of families and agents from bytes that are there, without
inflating or deflating any. Such a piece begins with an empty window, as `rcmon.documents.deflated.part` says:
a large one is a piece of the whole exposition, where it costs nothing. A small one would make that larger,
since it repeats what stands before it; so it stands, once more, among `METRICS_PIECES`.
"""

from collections.abc import Mapping

from msgspec import Struct

WINDOW = 32 * 1024
"""Plain bytes from which a piece is a large one: deflate looks no further back."""


class FamilyHead(Struct, frozen=True, array_like=True, gc=False):
    """A family's head in one format."""

    begin: int
    """Where it stands in the format's document; the family's samples follow."""
    length: int
    """Deflated bytes."""
    size: int
    """Plain bytes."""
    crc32: int
    """Of the plain bytes."""


class AgentPiece(Struct, frozen=True, array_like=True, gc=False):
    """One agent's samples of one family, the same in both formats."""

    agent: str | None
    """None: of no single agent."""
    begin: int
    """Where it stands: behind the family's head, or in `METRICS_PIECES`."""
    length: int
    size: int
    crc32: int
    shared: bool
    """Whether it is a piece of the whole exposition."""


class FamilyPieces(Struct, frozen=True, array_like=True):
    """One family; one without a sample has neither head nor piece."""

    name: str
    collector: str
    heads: Mapping[str, FamilyHead]
    """By format."""
    pieces: tuple[AgentPiece, ...]


class PiecesIndex(Struct, frozen=True):
    """All families, in their order, and all agents that have a sample, sorted."""

    families: tuple[FamilyPieces, ...]
    agents: tuple[str, ...]
