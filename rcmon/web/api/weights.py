"""What agents take of their team's share, as operators set it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from msgspec import Meta, Struct

from rcmon.errors import StoreError
from rcmon.model.journal import WEIGHT, JournalEntry
from rcmon.model.steering import HEAVIEST, Weight
from rcmon.store import Store
from rcmon.store.journal import add_entries
from rcmon.store.steering import end_weight, keep_weight
from rcmon.web.api.content import read_json
from rcmon.web.api.override_body import Name, Reason
from rcmon.web.api.steering import unavailable
from rcmon.web.transport.request import Request

LARGEST = 16 << 10
"""Bytes of a weight."""


class WeightBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator sets, and why."""

    reason: Reason
    weight: Annotated[float, Meta(ge=0, le=HEAVIEST)] | None
    """Beside the others' weights; 0 drains; null: as the control file says."""
    site: Name | None = None
    """Null: at all sites without one of their own."""


class Weights:
    """Takes agents' weights."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock

    async def set(self, agent: str, request: Request, check: Callable[[str | None], Awaitable[None]]) -> None:
        """Keep what an operator sets; when this ends it is there for good. Once more changes nothing.

        `check`, which gets the site, raises where there is no such place; what was set there can be ended
        for all that. Problem 503 where the store does not take it now.
        """
        said = read_json(request.headers, request.body, LARGEST, WeightBody, "weight")
        if said.weight is not None:
            await check(said.site)
        now, by = self._clock(), str(request.peer.identity.subject)
        try:
            async with self._store.adding() as connection:
                before = await end_weight(connection, agent, said.site)
                after = None
                if said.weight is not None:
                    after = Weight(agent, said.site, said.weight, now, by, said.reason)
                    await keep_weight(connection, after)
                if _value(before) != _value(after):
                    entry = JournalEntry(
                        now,
                        WEIGHT.name,
                        _value(before),
                        _value(after),
                        agent,
                        said.site,
                        cause=said.reason,
                        by=by,
                    )
                    await add_entries(connection, [entry])
        except StoreError as error:
            raise unavailable("The weight is not kept", error) from error


def _value(weight: Weight | None) -> dict[str, Any] | None:
    return None if weight is None else {"weight": weight.weight}
