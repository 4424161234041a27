"""A row that cannot be read costs itself: what is beside it is packed, pruned and read as ever."""

from msgspec import structs
from sqlalchemy import insert, select, update

from rcmon.model.journal import JournalEntry
from rcmon.store import Store
from rcmon.store.history import add_history
from rcmon.store.horizons import UNKNOWN, read_horizons
from rcmon.store.journal import JournalSpan, add_entries, add_news, read_journal, read_news
from rcmon.store.notes import LOST
from rcmon.store.pruning import Ages, prune
from rcmon.store.tables import ABOUT, CHUNK, HISTORY, JOURNAL
from rcmon.store.then import read_last
from tests.store.made import row
from tests.store.using import kinds, past

DAY = 86_400.0
AGES = Ages(1e9, 1e9, 1e9)
OTHER = "T2_XX_B"


async def half_packed(store: Store) -> None:
    """Write a morning of two series, a change each ten minutes, and pack it; each counts from 1."""
    async with store.transaction() as connection:
        for number in range(1, 61):
            for site in ("T2_XX_A", OTHER):
                await add_history(connection, [row(DAY + 600.0 * number, number, site)])
    await prune(store, AGES, DAY + 10 * 3600.0)


async def harm(store: Store, column: str = "body", step: int | None = 0) -> None:
    """Flip a bit of what is packed of the first series."""
    async with store.transaction() as connection:
        for chunk in (await connection.execute(select(CHUNK).where(CHUNK.c.series == 1))).all():
            if step in (None, chunk.step):
                octets = bytearray(getattr(chunk, column))
                octets[len(octets) // 2] ^= 0x10
                this = (CHUNK.c.series == 1) & (CHUNK.c.step == chunk.step)
                await connection.execute(update(CHUNK).where(this).values({column: bytes(octets)}))


async def running(store: Store, site: str, since: float = DAY) -> list[int | None]:
    return [one.running_jobs for one in await past(store, "a", site, since)]


async def test_a_clock_that_is_set_back_cuts_beside_a_day_that_cannot_be_read(store: Store) -> None:
    await half_packed(store)
    await harm(store)
    async with store.transaction() as connection:
        rows = [row(DAY + 7200.0, 99), row(DAY + 7200.0, 99, OTHER)]
        await add_history(connection, rows)
    assert await running(store, OTHER) == [*range(1, 12), 99]
    seen = await running(store, "T2_XX_A")
    assert seen[-1] == 99
    assert set(seen[:-1]) <= set(range(1, 12))  # by quarters of an hour: the other step is there
    assert len(seen) > 5
    assert (await kinds(store)).count(LOST) == 1


async def test_packing_goes_on_beside_a_day_that_cannot_be_read(store: Store) -> None:
    await half_packed(store)
    await harm(store)
    async with store.transaction() as connection:
        old = [JournalEntry(time, "state", None, {}) for time in (0.0, 3 * DAY)]
        await add_entries(connection, old)
    await prune(store, structs.replace(AGES, journal=DAY), 3 * DAY)
    async with store.reading() as connection:
        left = (await connection.execute(select(HISTORY.c.series, HISTORY.c.time))).all()
        assert len(left) == 2  # the newest of each series is never packed
        assert len(await read_journal(connection, JournalSpan(10))) == 1
    assert await running(store, OTHER) == [*range(1, 61)]
    seen = await running(store, "T2_XX_A")
    assert seen[-1] == 60
    assert set(seen) <= set(range(1, 61))
    assert LOST in await kinds(store)


async def test_a_day_of_which_nothing_can_be_read_is_not_known(store: Store) -> None:
    """What held the day before must not seem to have lasted."""
    async with store.transaction() as connection:
        await add_history(connection, [row(DAY - 600.0, 1000)])
    await half_packed(store)
    async with store.transaction() as connection:
        await connection.execute(
            update(CHUNK).where(CHUNK.c.series == 1, CHUNK.c.begin == int(DAY)).values(body=b"\x02junk")
        )
    await prune(store, AGES, 3 * DAY)
    seen = await past(store, "a", "T2_XX_A", DAY)
    assert (seen[0].time, seen[0].state, seen[0].running_jobs) == (DAY, None, None)
    assert seen[-1].running_jobs == 60


async def test_task_types_that_cannot_be_read_cost_no_numbers(store: Store) -> None:
    await half_packed(store)
    await harm(store, "tasks", None)
    async with store.transaction() as connection:
        await connection.execute(update(HISTORY).where(HISTORY.c.series == 1).values(tasks=b"\xc1"))
    await prune(store, AGES, 3 * DAY)
    async with store.transaction() as connection:
        await connection.execute(update(HISTORY).values(tasks=None))
    assert await running(store, "T2_XX_A") == [*range(1, 61)]


async def test_a_horizon_that_cannot_be_read_is_set_anew(store: Store) -> None:
    await half_packed(store)
    for value in ("17959x2800.0", "nan", ""):
        async with store.transaction() as connection:
            await connection.execute(update(ABOUT).where(ABOUT.c.key.like("history_%")).values(value=value))
            assert (await connection.run_sync(read_horizons)).packed == UNKNOWN
            await add_history(connection, [row(DAY + 7200.0, 99)])  # may be packed: it is cut
        assert (await running(store, "T2_XX_A"))[-2:] == [11, 99]
        await prune(store, AGES, DAY + 10 * 3600.0)
        async with store.reading() as connection:
            found = await connection.run_sync(read_horizons)
        assert max(found.packed, found.raw, found.kept) < UNKNOWN


async def journal_with_harm(store: Store, written: str = '{"versio') -> None:
    async with store.transaction() as connection:
        some = [JournalEntry(float(n), "agent", None, {"n": n}, agent=name) for n, name in enumerate("abc")]
        await add_entries(connection, some)
        await connection.execute(update(JOURNAL).where(JOURNAL.c.agent == "b").values(new=written))


async def test_an_entry_of_the_journal_that_cannot_be_read_is_left_out_alone(store: Store) -> None:
    for written in ('{"versio', "3", "[" * 100_000):
        await journal_with_harm(store, written)
    async with store.asking() as connection:
        every = await read_journal(connection, JournalSpan(10))
        pages = [await read_journal(connection, JournalSpan(2, before=before)) for before in (None, 7, 4)]
    assert [one.entry.agent for one in every] == ["c", "a"] * 3
    assert [[one.entry.agent for one in page] for page in pages] == [["c", "a"]] * 3
    _, news = await store.look(lambda connection: read_news(connection, 0, 4))
    assert [one.number for one in news] == [1, 3, 4, 6]
    assert set(await store.ask(lambda connection: read_last(connection, "agent", 5.0))) == {"a", "c"}


async def test_of_news_that_cannot_be_read_nothing_is_read_again(store: Store) -> None:
    async with store.transaction() as connection:
        await add_entries(connection, [JournalEntry(1.0, "agent", None, {}, agent="a")])
        await connection.execute(insert(JOURNAL).values(time=2.0, kind="agent", new="{"))
    assert await store.look(lambda connection: read_news(connection, 1, 10)) == (2, ())


async def test_what_held_before_and_cannot_be_read_is_left_out_of_the_next_entry(store: Store) -> None:
    entry = JournalEntry(1.0, "roles", None, {"entries": 1}, subject="roles.toml")
    async with store.adding() as connection:
        assert await add_news(connection, entry)
        await connection.execute(update(JOURNAL).values(new='{"entr'))
        assert await add_news(connection, entry)
        (newest,) = await read_journal(connection, JournalSpan(10))
    assert newest.entry == entry
