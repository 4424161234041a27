"""A worker's newest snapshot: ready bytes behind one reference, swapped when the store has a newer one."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from rcmon.documents import keys
from rcmon.documents.deflated import inflate, inflate_chunks
from rcmon.documents.shapes import Facts, SiteEntry
from rcmon.documents.why import WhyIndex
from rcmon.errors import UNREADABLE, StoreError
from rcmon.model import Document
from rcmon.process.looks import Looks
from rcmon.store.notes import Note
from rcmon.store.reader import StoredSnapshots
from rcmon.store.snapshots import StoredDocuments
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Kept, Ready

LOG = logging.getLogger(__name__)
T = TypeVar("T")

_INTERNAL = frozenset(
    {
        keys.FACTS,
        keys.SITES_INDEX,
        keys.WHY,
        keys.DRIFT,
        keys.EXPECTED,
        keys.METRICS_PIECES,
        keys.METRICS_INDEX,
    }
)
"""Documents for this side alone: no resource serves them."""
RETRY = (("Retry-After", "5"),)
"""The field of an answer that may come by itself, seconds."""
_PIECE = 256 * 1024
"""Bytes inflated before other requests get their turn: about a millisecond's work."""


def no_snapshot() -> Problem:
    """Tell that there is nothing yet: 503."""
    return Problem(503, "There is no snapshot yet: no cycle has ended.", fields=RETRY)


class Held:
    """One snapshot as a worker holds it. It never changes; requests that began with it end with it.

    Its collector may be of another version: what it did not make, or made in a format that is not read here,
    is a Problem 503 where it is asked for, and nowhere else. Raises StoreError where not even its facts can
    be read: such a snapshot is not taken.
    """

    def __init__(self, loaded: StoredDocuments) -> None:
        self.number, self.format = loaded.number, loaded.format
        self.documents: Mapping[str, Document] = {document.key: document for document in loaded.documents}
        self.facts = self._facts()
        self._ready: Mapping[str, Ready] = {
            document.key: Ready(Kept(document), document.media_type)
            for document in loaded.documents
            if document.key not in _INTERNAL
        }
        self._sites: Mapping[str, SiteEntry] | None = None
        self._decoded: dict[str, Any] = {}
        self._turn = asyncio.Lock()

    def ready(self, key: str) -> Ready:
        """Give a document as it is sent. Raises Problem 503."""
        found = self._ready.get(key)
        if found is None:
            raise self.missing(key)
        return found

    def document(self, key: str) -> Document:
        """Give a document that is read here. Raises Problem 503."""
        found = self.documents.get(key)
        if found is None or (key in _INTERNAL and self.format not in keys.READABLE):
            raise self.missing(key)
        return found

    def missing(self, key: str) -> Problem:
        """Tell that the snapshot does not hold what is asked for: 503."""
        whose = "" if self.format == keys.FORMAT else ": its collector is of another version"
        detail = f"The newest snapshot has no document {key!r} of a format that is known here{whose}."
        return Problem(503, detail, fields=RETRY, format=self.format, known=keys.FORMAT)

    def _facts(self) -> Facts:
        try:
            return msgspec.msgpack.decode(inflate(self.document(keys.FACTS)), type=Facts)
        except (Problem, *UNREADABLE) as error:
            raise StoreError(f"snapshot {self.number} cannot be taken: {error}") from error

    @property
    def sites_digest(self) -> str:
        """Hash of all that `sites` holds."""
        return self.document(keys.SITES_INDEX).digest

    async def sites(self) -> Mapping[str, SiteEntry]:
        """Give all sites by name, sorted; they are decoded when somebody first asks. Raises Problem 503."""
        async with self._turn:
            if self._sites is None:
                entries = await self._decode(keys.SITES_INDEX, tuple[SiteEntry, ...])
                self._sites = {entry.name: entry for entry in entries}
        return self._sites

    async def why(self) -> WhyIndex:
        """Give all verdicts, each site's undecoded. Raises Problem 503."""
        return await self.decoded(keys.WHY, WhyIndex)

    async def decoded(self, key: str, shape: type[T]) -> T:
        """Give what a document for this side holds, decoded when somebody first asks. Raises Problem 503."""
        async with self._turn:
            if key not in self._decoded:
                self._decoded[key] = await self._decode(key, shape)
        found: T = self._decoded[key]
        return found

    async def _decode(self, key: str, form: type[T]) -> T:
        data = bytearray()
        for chunk in inflate_chunks(self.document(key), _PIECE):
            data += chunk
            await asyncio.sleep(0)
        try:
            return msgspec.msgpack.decode(data, type=form)
        except UNREADABLE:
            raise self.missing(key) from None


class Board:
    """Watches the store. Where that is in trouble, the last snapshot stays and `trouble` says why."""

    def __init__(self, store: StoredSnapshots) -> None:
        self._store = store
        self.current: Held | None = None
        """The newest snapshot; None: there is none yet."""
        self.arrived = asyncio.Event()
        """Set once there is a snapshot."""
        self.trouble: str | None = None
        """Why the store could not be read at the last check; None: it could."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What happened to the store, oldest first."""
        return self._store.notes

    async def check(self) -> bool:
        """Look once for a newer snapshot and take it; tells whether there was one."""
        try:
            number = await self._store.newest_id()
            newer = await self._newer(number)
        except StoreError as error:
            if self.trouble is None:
                LOG.error("the store cannot be read, the last snapshot stays: %s", error)  # noqa: TRY400 - a message of ours
            self.trouble = str(error)
            return False
        if self.trouble is not None:
            LOG.info("the store can be read again")
        self.trouble = None
        self.current = newer or self.current
        if newer is not None:
            self.arrived.set()
        return newer is not None

    async def _newer(self, number: int | None) -> Held | None:
        if number is None or (self.current is not None and number == self.current.number):
            return None
        loaded = await self._store.load(number)
        return None if loaded is None else Held(loaded)

    async def look(self, looks: Looks) -> None:
        """Check once; what nobody expected to fail is told, and the last snapshot stays."""
        await looks.take("look for a newer snapshot", self.check)

    async def watch(self, looks: Looks, period: float = 0.5) -> None:
        """Look for ever, every `period` seconds."""
        while True:
            await self.look(looks)
            await asyncio.sleep(period)
