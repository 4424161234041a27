"""What makes documents of a snapshot."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from rcmon.model import Document, Snapshot


class Rendering(Struct, frozen=True):
    """One way from a snapshot to the documents of these keys; `{agent}` in a key: one for each agent.

    `make` is given the documents of an earlier snapshot too, by key.
    """

    keys: tuple[str, ...]
    make: Callable[[Snapshot, Mapping[str, Document]], Iterable[Document]]
