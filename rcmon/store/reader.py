"""What a worker reads of the store, twice a second: whether there is a newer snapshot, and that."""

from rcmon.errors import StoreError
from rcmon.store import snapshots
from rcmon.store.notes import Note, read_notes
from rcmon.store.snapshots import StoredDocuments
from rcmon.store.store import Store


class StoredSnapshots:
    """The snapshots in a store, and what happened to that."""

    def __init__(self, store: Store) -> None:
        self.notes: tuple[Note, ...] = ()
        """What happened to the store, oldest first, as of the last `load`."""
        self._store = store

    async def newest_id(self) -> int | None:
        """Read the newest snapshot's id; None: there is none yet."""
        return await self._store.look(snapshots.newest_id)

    async def load(self, number: int) -> StoredDocuments | None:
        """Read a snapshot's documents; None where the snapshot is gone by now."""
        loaded = await self._store.look(lambda connection: snapshots.load(connection, number))
        await self._read_notes()
        return loaded

    async def _read_notes(self) -> None:
        """Read the notes by themselves: where they are damaged, the snapshot need not be."""
        try:
            self.notes = await self._store.look(read_notes)
        except StoreError:
            return  # whoever writes was told, and mends them
