"""Replicas that share a store share the polls: who collects assigns them, the others do what is theirs."""

import asyncio
from collections.abc import Callable, Sequence

from rcmon.collector.assigning import Assigned, Assigner
from rcmon.collector.in_turn import InTurn, Starts
from rcmon.collector.poller import Poller
from rcmon.sources.base import Source
from rcmon.store import Store
from rcmon.store.lease import Term


class Sharing:
    """This replica's part in the polls. On a store that is not shared it has all of them, and asks nobody.

    `term`: its term in the lease, None while another one collects. `done` as in `Poller`.
    """

    def __init__(
        self,
        store: Store,
        replica: str,
        term: Callable[[], Term | None],
        done: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._shared = store.shared
        self._assigner = Assigner(store, replica, term)
        self._poller = Poller(store, replica, done)
        self._starts = Starts()
        self._known: dict[int, tuple[Source, InTurn | Assigned]] = {}

    def among_all(self, sources: Sequence[Source]) -> Sequence[Source]:
        """Give the sources so that a poll of one is done by the replica whose it is; these, from now on."""
        known, self._known = self._known, {}
        for source in sources:
            self._known[id(source)] = known.get(id(source)) or (source, self._polled(source))
        made = [one for _, one in self._known.values()]
        assigned = [one for one in made if isinstance(one, Assigned)]
        self._assigner.deal(one.name for one in assigned)
        self._poller.sources = {one.name: one.here for one in assigned}
        return made

    def _polled(self, source: Source) -> InTurn | Assigned:
        here = InTurn(source, self._starts)
        return Assigned(here, self._assigner) if self._shared else here

    async def run(self) -> None:
        """Do this replica's part, for good."""
        if self._shared:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._assigner.run(), name="collector: assigned polls")
                group.create_task(self._poller.run(), name="collector: polls for others")

    async def close(self) -> None:
        """Take part no more."""
        if self._shared:
            await self._poller.close()
