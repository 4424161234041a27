"""Whether this replica collects: its term in the lease of a store that several share."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import StoreBusyError
from rcmon.store import Store
from rcmon.store.lease import Term, drop_lease, hold_lease, is_term, new_term, renew_lease, take_lease

LASTS = 3.0
"""Seconds that a lease lasts beyond the last sign of life of its holder: then another replica collects."""
LOOK = 1.0
"""Seconds between two looks: the holder's, to take it longer, and the others', whether it is free."""
SOON = 0.1
"""Seconds until the next look, where the lease may be free at any moment."""


class Leadership:
    """This replica's part in the lease. On a store that is not shared it has all of it, and asks nobody.

    `replica`: the same over restarts, and no other's. `lasts`: seconds of the lease. Who begins a term goes
    on from what is in the store; a term that is lost does not come back.
    """

    def __init__(self, store: Store, replica: str, lasts: float = LASTS) -> None:
        self._store, self._replica, self._lasts = store, replica, lasts
        self.term: Term | None = None
        """The one that was begun here and that nobody ended, as far as is known."""
        self.next_look = LOOK
        """Seconds until it is worth a look."""
        self._until = 0.0  # by a clock that nobody sets
        self._is_new = True  # an earlier process of this replica is dead
        self._turn = asyncio.Lock()

    @property
    def holds(self) -> bool:
        """Whether nobody else collects, as far as can be known here."""
        return not self._store.shared or (self.term is not None and time.monotonic() < self._until)

    async def seek(self) -> bool:
        """Take the lease longer, or begin a term; tells whether there is one. Raises StoreError."""
        if await self.renew():
            return True
        async with self._turn:
            term, asked = new_term(self._replica), time.monotonic()
            async with self._store.leasing() as connection:
                left = await take_lease(connection, term, self._lasts, succeeds=self._is_new)
            self._is_new = False
            if left is not None:
                self.next_look = min(LOOK, left + SOON)
                return False
            self.term, self._until, self.next_look = term, asked + self._lasts, LOOK
            return True

    async def renew(self) -> bool:
        """Take the lease longer; tells whether the term lasts. Raises StoreError where that is not known."""
        if not self._store.shared:
            return True
        if self._turn.locked() and self.term is not None:
            return await self._look(self.term)
        async with self._turn:
            if self.term is None:
                return False
            asked = time.monotonic()
            async with self._store.leasing() as connection:
                lasts = await renew_lease(connection, self.term, self._lasts)
            if lasts:
                self._until = asked + self._lasts
            else:
                self.term = None
            return lasts

    async def _look(self, term: Term) -> bool:
        """Tell whether a term lasts while a transaction of ours holds it in place, or did."""
        asked = time.monotonic()
        async with self._store.leasing() as connection:
            lasts = await is_term(connection, term)
        if lasts:
            self._until = asked + self._lasts
        return lasts

    @asynccontextmanager
    async def writing(self, *, durable: bool = False) -> AsyncIterator[AsyncConnection]:
        """Write as the one who collects, all or nothing; raises StoreError, and nothing is written, else.

        `durable`: what is written outlasts a loss of power on SQLite too. Nobody else's term begins before
        this ends, and this one lasts on then.
        """
        lane = self._store.adding if durable else self._store.transaction
        if not self._store.shared:
            async with lane() as connection:
                yield connection
            return
        async with self._turn:  # a renewal would have to wait for this one, and only looks meanwhile
            if (term := self.term) is None:
                raise StoreBusyError(f"{self._replica!r} does not collect any more")
            async with lane() as connection:
                await hold_lease(connection, term, self._lasts)
                yield connection
                asked = time.monotonic()
                await renew_lease(connection, term, self._lasts)
            self._until = asked + self._lasts

    async def resign(self) -> bool:
        """Let another replica collect; tells whether there was a term to end. Raises StoreError."""
        term, self.term = self.term, None
        if term is None:
            return False
        async with self._store.leasing() as connection:
            await drop_lease(connection, term)
        return True
