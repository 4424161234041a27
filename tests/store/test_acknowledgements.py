"""Acknowledgements of findings: one at a time, each change once in the journal, whoever else writes."""

import asyncio

from msgspec import structs

from rcmon.model.journal import ACKNOWLEDGEMENT, JournalEntry, replay
from rcmon.store import Store
from rcmon.store.acknowledgements import (
    Acknowledgement,
    end_acknowledgement,
    keep_acknowledgement,
    read_acknowledgements,
)
from rcmon.store.journal import JournalSpan, read_journal
from rcmon.timestamps import iso

NOW = 1.8e9
MADE = Acknowledgement("a1", NOW, NOW + 3600, "/CN=o'brien", "gr\u00fc\u00dfe")


async def keep(store: Store, made: Acknowledgement) -> None:
    async with store.adding() as connection:
        await keep_acknowledgement(connection, made)


async def end(store: Store, now: float, by: str = "/CN=b") -> bool:
    async with store.adding() as connection:
        return await end_acknowledgement(connection, "a1", now, by)


async def kept(store: Store) -> tuple[Acknowledgement, ...]:
    async with store.reading() as connection:
        return await read_acknowledgements(connection)


async def journal(store: Store) -> list[JournalEntry]:
    """Read what the journal tells of acknowledgements, oldest first."""
    async with store.reading() as connection:
        entries = await read_journal(connection, JournalSpan(1000, kinds=(ACKNOWLEDGEMENT.name,)))
    return [one.entry for one in reversed(entries)]


async def test_each_change_is_in_the_journal_with_what_was_before(store: Store) -> None:
    longer = structs.replace(MADE, made=NOW + 60, until=NOW + 7200, subject="/CN=b")
    await keep(store, MADE)
    await keep(store, longer)
    assert await end(store, NOW + 120, "/CN=c")
    assert not await end(store, NOW + 121)
    first = {"until": iso(NOW + 3600), "reason": "gr\u00fc\u00dfe"}
    second = {"until": iso(NOW + 7200), "reason": "gr\u00fc\u00dfe"}
    assert [(one.time, one.old, one.new, one.subject, one.by) for one in await journal(store)] == [
        (NOW, None, first, "a1", "/CN=o'brien"),
        (NOW + 60, first, second, "a1", "/CN=b"),
        (NOW + 120, second, None, "a1", "/CN=c"),
    ]
    assert replay(await journal(store)) == {}


async def test_the_same_once_more_changes_nothing(store: Store) -> None:
    await keep(store, MADE)
    await keep(store, structs.replace(MADE, made=NOW + 5))
    assert await kept(store) == (MADE,)
    assert len(await journal(store)) == 1


async def test_one_whose_time_is_over_does_not_hold_before_the_next(store: Store) -> None:
    again = structs.replace(MADE, made=NOW + 4000, until=NOW + 9000)
    await keep(store, MADE)
    await keep(store, again)
    assert [one.old for one in await journal(store)] == [None, None]
    assert await end(store, NOW + 9001)
    assert len(await journal(store)) == 2


async def test_many_at_once_are_one_after_the_other(store: Store) -> None:
    """What each found before it is what the one before it left."""
    made = [structs.replace(MADE, until=NOW + 3600 + number, subject=f"/CN={number}") for number in range(12)]
    await asyncio.gather(*(keep(store, one) for one in made))
    entries = await journal(store)
    assert len(entries) == 12
    assert [one.old for one in entries] == [None, *(one.new for one in entries[:-1])]
    (left,) = await kept(store)
    assert entries[-1].by == left.subject
