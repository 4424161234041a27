"""A worker's newest snapshot: ready bytes behind one reference, swapped when the store has a newer one."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

import msgspec

from rcmon.documents import keys
from rcmon.documents.deflated import inflate, inflate_chunks
from rcmon.documents.shapes import Facts, SiteEntry
from rcmon.errors import StoreError
from rcmon.model import Document
from rcmon.store import Store
from rcmon.store.notes import Note
from rcmon.web.answers.ready import Kept, Ready

LOG = logging.getLogger(__name__)

_INTERNAL = frozenset({keys.FACTS, keys.SITES_INDEX})
"""Documents for this side alone: no resource serves them."""
_PIECE = 256 * 1024
"""Bytes inflated before other requests get their turn: about a millisecond's work."""


class Held:
    """One snapshot as a worker holds it. It never changes; requests that began with it end with it."""

    def __init__(self, number: int, loaded: Sequence[Document]) -> None:
        self.number = number
        self.documents: Mapping[str, Document] = {document.key: document for document in loaded}
        missing = {keys.FACTS, keys.SITES_INDEX, keys.METRICS_TEXT} - self.documents.keys()
        if missing:
            raise StoreError(f"snapshot {number} lacks the documents {', '.join(sorted(missing))}")
        self.facts = msgspec.msgpack.decode(inflate(self.documents[keys.FACTS]), type=Facts)
        self.ready: Mapping[str, Ready] = {
            document.key: Ready(Kept(document), document.media_type)
            for document in loaded
            if document.key not in _INTERNAL
        }
        self._sites: Mapping[str, SiteEntry] | None = None
        self._turn = asyncio.Lock()

    @property
    def sites_digest(self) -> str:
        """Hash of all that `sites` holds."""
        return self.documents[keys.SITES_INDEX].digest

    async def sites(self) -> Mapping[str, SiteEntry]:
        """Give all sites by name, sorted; they are decoded when somebody first asks."""
        async with self._turn:
            if self._sites is None:
                self._sites = await self._decode()
        return self._sites

    async def _decode(self) -> Mapping[str, SiteEntry]:
        data = bytearray()
        for chunk in inflate_chunks(self.documents[keys.SITES_INDEX], _PIECE):
            data += chunk
            await asyncio.sleep(0)
        entries = msgspec.msgpack.decode(data, type=tuple[SiteEntry, ...])
        return {entry.name: entry for entry in entries}


class Board:
    """Watches the store. Where that is in trouble, the last snapshot stays and `trouble` says why."""

    def __init__(self, store: Store) -> None:
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
            if number is None or (self.current is not None and number == self.current.number):
                newer = None
            else:
                newer = Held(number, await self._store.load_documents(number))
        except (StoreError, msgspec.DecodeError) as error:
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

    async def watch(self, period: float = 0.5) -> None:
        """Check for ever, every `period` seconds."""
        while True:
            await self.check()
            await asyncio.sleep(period)
