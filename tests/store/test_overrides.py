"""Overrides: changed whole, one change after the other, each once in the journal."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy.engine import URL

from rcmon.errors import StoreCorruptError
from rcmon.model import Override, OverrideChange, SpotChange
from rcmon.store import Store
from rcmon.store.journal import JournalSpan, NumberedEntry, read_journal
from rcmon.store.overrides import (
    last_change,
    make_change,
    next_change,
    prune_changes,
    read_change,
    read_override,
    read_overrides,
)
from rcmon.store.tables import OVERRIDE_CHANGE

NOW = 1.8e9
SITE = "T1_XX_A"


def override(version: int = 1, **values: Any) -> Override:
    given: dict[str, Any] = {
        "site": SITE,
        "agent": None,
        "state": "Draining",
        "running": None,
        "pending": 50,
        "mode": "until",
        "until": NOW + 3600,
        "reason": "cooling fails, gr\u00fc\u00dfe",
        "subject": "/CN=o'brien",
        "made": NOW,
        "version": version,
    }
    return Override(**given | values)


async def change(store: Store, *wanted: Override, ends: tuple[Override, ...] = ()) -> OverrideChange:
    """Set these, and end those, in one change."""
    async with store.adding() as connection:
        number = await next_change(connection)
        spots = []
        for one in wanted:
            before = await read_override(connection, one.site, one.agent)
            spots.append(SpotChange(one.site, one.agent, before, structs.replace(one, version=number)))
        spots += [SpotChange(one.site, one.agent, one, None) for one in ends]
        made = OverrideChange(number, NOW + number, "/CN=o", "set", tuple(spots))
        await make_change(connection, made)
    return made


async def held(store: Store) -> tuple[Override, ...]:
    async with store.reading() as connection:
        return await read_overrides(connection)


async def journal(store: Store) -> list[NumberedEntry]:
    async with store.asking() as connection:
        return (await read_journal(connection, JournalSpan(limit=1000, kinds=("override",))))[::-1]


async def test_what_is_set_is_read_as_it_was_and_is_in_the_journal(store: Store) -> None:
    everywhere = override()
    own = override(agent="a", state=None, running=0, mode="latched", until=None)
    made = await change(store, everywhere, own)
    assert await held(store) == (everywhere, structs.replace(own, version=made.number))
    first, second = [one.entry for one in await journal(store)]
    assert (first.agent, first.site, first.by, first.old) == (None, SITE, "/CN=o", None)
    assert first.new == {
        "state": "Draining",
        "running_slots": None,
        "pending_slots": 50,
        "mode": "until",
        "until": "2027-01-15T09:00:00Z",
        "reason": "cooling fails, gr\u00fc\u00dfe",
        "subject": "/CN=o'brien",
        "made": "2027-01-15T08:00:00Z",
        "version": 1,
    }
    assert (second.agent, second.new and second.new["running_slots"]) == ("a", 0)
    assert second.cause == "set, change 1"


async def test_numbers_grow_also_over_what_was_ended_and_forgotten(store: Store) -> None:
    first = await change(store, override())
    second = await change(store, ends=await held(store))
    assert await held(store) == ()
    async with store.adding() as connection:
        await prune_changes(connection, NOW + 1e9)
        assert await read_change(connection, first.number) is None
        assert await last_change(connection, SITE, None) == second
        assert await last_change(connection, SITE, "a") is None
        assert await next_change(connection) == second.number + 1
    third = await change(store, override())
    assert (first.number, second.number, third.number) == (1, 2, 3)
    old = (await journal(store))[1].entry.old
    assert old is not None
    assert old["version"] == 1


async def test_a_change_that_fails_leaves_nothing(store: Store) -> None:
    await change(store, override())
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it is raised within the transaction
        async with store.adding() as connection:
            number = await next_change(connection)
            spot = SpotChange(SITE, None, override(), None)
            await make_change(connection, OverrideChange(number, NOW, None, "ended", (spot,)))
            raise ZeroDivisionError
    assert len(await held(store)) == 1
    assert len(await journal(store)) == 1


async def test_what_many_change_at_once_is_changed_one_after_the_other(
    store: Store, open_store: Callable[[str | URL], Store], url: str | URL
) -> None:
    """Each adds one to what it read: none is lost, though each has a connection of its own."""
    stores = [open_store(url) for _ in range(5)]
    await change(store, override(running=0))

    async def add(one: Store) -> None:
        async with one.adding() as connection:
            number = await next_change(connection)
            before = await read_override(connection, SITE, None)
            assert before is not None
            after = structs.replace(before, running=(before.running or 0) + 1, version=number)
            spots = (SpotChange(SITE, None, before, after),)
            await make_change(connection, OverrideChange(number, NOW, "/CN=o", "set", spots))

    await asyncio.gather(*(add(stores[number % 5]) for number in range(20)))
    assert (await held(store))[0].running == 20
    entries = [one.entry for one in await journal(store)]
    assert [one.new and one.new["version"] for one in entries] == list(range(1, 22))
    assert all(after.old == before.new for before, after in pairwise(entries))


async def test_a_damaged_change_is_told(store: Store) -> None:
    made = await change(store, override())
    async with store.adding() as connection:
        await connection.execute(OVERRIDE_CHANGE.update().values(after="{"))
    with pytest.raises(StoreCorruptError, match="damaged"):
        async with store.reading() as connection:
            await read_change(connection, made.number)
