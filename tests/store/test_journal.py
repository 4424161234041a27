"""The journal as it is kept, on both kinds of database."""

import itertools

import pytest

from rcmon.model.journal import JournalEntry
from rcmon.store import Store, journal
from rcmon.store.journal import JournalSpan, add_entries, count_journal, read_journal, read_news
from rcmon.store.pruning import Ages, prune


def entry(
    time: float, kind: str = "state", site: str | None = "T2_A", agent: str | None = "a"
) -> JournalEntry:
    return JournalEntry(time, kind, {"state": "Normal"}, {"state": "Down"}, agent, site, cause="polled")


async def fill(store: Store, *entries: JournalEntry) -> None:
    async with store.transaction() as connection:
        await add_entries(connection, entries)


async def times(store: Store, **asked: object) -> list[float]:
    async with store.asking() as connection:
        found = await read_journal(connection, JournalSpan(**({"limit": 100} | asked)))  # type: ignore[arg-type]
    return [kept.entry.time for kept in found]


async def test_an_entry_is_read_as_it_was_written(store: Store) -> None:
    limits = {"max_slots": 1, "pending_slots": None}
    whole = JournalEntry(1.5, "threshold", None, limits, "a", "T2_Ä", "Merge", "s", "c", "/CN=x")
    await fill(store, whole)
    async with store.asking() as connection:
        (kept,) = await read_journal(connection, JournalSpan(limit=1))
    assert kept.entry == whole


async def test_newest_first_by_the_order_of_writing_whatever_the_clock_said(store: Store) -> None:
    await fill(store, entry(10), entry(20))
    await fill(store, entry(5))
    assert await times(store) == [5, 20, 10]
    assert await times(store, limit=2) == [5, 20]


async def test_what_is_asked_for(store: Store) -> None:
    await fill(
        store, entry(1), entry(2, "slots"), entry(3, site="T2_B"), entry(4, agent="b"), entry(5, site=None)
    )
    assert await times(store, site="T2_A") == [4, 2, 1]
    assert await times(store, agent="b") == [4]
    assert await times(store, kinds=("slots", "source")) == [2]
    assert await times(store, since=2, until=4) == [4, 3, 2]
    async with store.asking() as connection:
        assert await count_journal(connection, JournalSpan(limit=1, site="T2_A")) == 3


async def test_pages_join_without_gap_or_double_while_more_is_written(store: Store) -> None:
    await fill(store, *(entry(number) for number in range(10)))
    seen: list[float] = []
    before: int | None = None
    for turn in itertools.count():
        async with store.asking() as connection:
            page = await read_journal(connection, JournalSpan(limit=3, before=before))
        if not page:
            break
        seen += [kept.entry.time for kept in page]
        before = page[-1].number
        await fill(store, entry(100 + turn))
    assert seen == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]


async def test_what_is_old_is_forgotten_in_small_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "ENTRIES_AT_ONCE", 2)
    await fill(store, *(entry(number) for number in range(7)))
    await prune(store, Ages(0, 0, 0), 5)
    assert await times(store) == [6, 5]


async def test_the_newest_entry_stays_however_old(store: Store) -> None:
    await fill(store, entry(1), entry(2))
    await prune(store, Ages(0, 0, 0), 99)
    assert await times(store) == [2]


async def test_what_no_database_takes_does_not_lose_the_rest(store: Store) -> None:
    await fill(
        store, JournalEntry(1, "state", {"state": "\0\ud800"}, None, "a\0", "T2_\ud800", cause="x" * 5000)
    )
    async with store.asking() as connection:
        (kept,) = await read_journal(connection, JournalSpan(limit=1))
    assert (kept.entry.agent, kept.entry.site) == ("a\ufffd", "T2_?")
    assert len(kept.entry.cause or "") == 1000


async def test_news_are_what_is_behind_a_number_oldest_first(store: Store) -> None:
    await fill(store, entry(1), entry(2))
    begin, entries = await store.look(lambda connection: read_news(connection, None, 10))
    assert list(entries) == []
    await fill(store, entry(3), entry(4), entry(5))
    again, entries = await store.look(lambda connection: read_news(connection, begin, 2))
    assert (again, [one.entry.time for one in entries]) == (begin, [3, 4])
    last = entries[-1].number
    _, entries = await store.look(lambda connection: read_news(connection, last, 2))
    assert [one.entry.time for one in entries] == [5]
    # of a journal that was made again all is news
    begin, entries = await store.look(lambda connection: read_news(connection, last + 100, 10))
    assert (begin, [one.entry.time for one in entries]) == (0, [1, 2, 3, 4, 5])
