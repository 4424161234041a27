"""What becomes of the roles file, for the journal: one worker of a service writes it."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from typing import Any

from rcmon.access.roles import RoleTable
from rcmon.access.trust import Trust
from rcmon.errors import StoreError
from rcmon.model.journal import ROLES, JournalEntry
from rcmon.store import Store
from rcmon.store.journal import add_news

LOG = logging.getLogger(__name__)


class RolesRecord:
    """Writes to the journal what is in use of the roles file, and whether its newest content was refused.

    `subject`: the file's name, with whose it is where several replicas share a store. What the store does not
    take is written at a later look; what it holds already, of an earlier run or worker, is not written again.
    """

    def __init__(self, trust: Trust, store: Store, subject: str, clock: Callable[[], float]) -> None:
        self._trust, self._store, self._subject, self._clock = trust, store, subject, clock
        self._told: object = None

    async def look(self) -> None:
        """Write what is new."""
        table, reason = self._trust.roles()
        newest = (table.in_use, reason)
        if newest == self._told:
            return
        value = await asyncio.to_thread(_value, table, reason)
        cause = "the roles file was read" if reason is None else "the roles file was read and refused"
        entry = JournalEntry(self._clock(), ROLES.name, None, value, subject=self._subject, cause=cause)
        try:
            async with self._store.adding() as connection:
                await add_news(connection, entry)
        except StoreError as error:
            LOG.debug("the journal does not take what became of the roles file yet: %s", error)
        else:
            self._told = newest


def _value(table: RoleTable, reason: str | None) -> dict[str, Any]:
    return {"taken_up": reason is None, "entries": len(table), "digest": _digest(table), "reason": reason}


def _digest(table: RoleTable) -> str:
    """Give a digest that is the same in every process and run for the same entries, in whatever order."""
    lines = sorted(
        "\t".join((*map(str, key), grant.role, str(grant.issuer), *sorted(grant.agents)))
        for key, grants in table.grants.items()
        for grant in grants
    )
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()[:16]
