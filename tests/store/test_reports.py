"""Pushed reports: the newest of each agent and kind, kept for good once it was said that they are."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from sqlalchemy.engine import URL

from rcmon.errors import StoreBusyError, StoreCorruptError
from rcmon.store import Store
from rcmon.store.pruning import Ages, prune
from rcmon.store.reports import (
    ReportHead,
    keep_report,
    pack_report,
    read_heads,
    read_reports,
    unpack_report,
)
from rcmon.store.sqlite import Care, _alone, beside, prepare
from tests.store.made import snapshot
from tests.store.using import save

NOW = 1.8e9
A, B = b'{"a": 1}', b'{"b": 2}'


async def keep(
    store: Store, body: bytes, time: float, *, agent: str = "a", kind: str = "k", received: float = NOW
) -> ReportHead | None:
    packed = pack_report(agent, kind, body, time=time, received=received, subject="/CN=a")
    async with store.adding() as connection:
        return await keep_report(connection, packed, believable=NOW + 300)


class Held(Struct, frozen=True):
    head: ReportHead
    body: bytes


async def held(store: Store, agent: str = "a") -> Sequence[Held]:
    async with store.reading() as connection:
        return [Held(one.head, unpack_report(one)) for one in await read_reports(connection, agent)]


async def heads(store: Store) -> Sequence[ReportHead]:
    async with store.reading() as connection:
        return await read_heads(connection)


async def test_the_newest_of_each_agent_and_kind_is_kept(store: Store) -> None:
    assert await keep(store, A, NOW - 60) is None
    assert await keep(store, B, NOW) is None
    assert await keep(store, A, NOW, kind="other") is None
    assert await keep(store, A, NOW, agent="b") is None
    assert [(one.agent, one.kind) for one in await heads(store)] == [("a", "k"), ("a", "other"), ("b", "k")]
    first, second = await held(store)
    assert (first.body, first.head.time, first.head.received, first.head.subject) == (B, NOW, NOW, "/CN=a")
    assert (second.body, second.head.kind) == (A, "other")
    assert await held(store, "c") == []


async def test_an_older_one_stays_out_and_is_told_why(store: Store) -> None:
    await keep(store, B, NOW)
    newer = await keep(store, A, NOW - 1)
    assert newer is not None
    assert newer.time == NOW
    assert [one.body for one in await held(store)] == [B]


async def test_another_one_of_the_same_time_takes_its_place(store: Store) -> None:
    """Somebody mended what he said."""
    await keep(store, A, NOW)
    assert await keep(store, B, NOW) is None
    assert [one.body for one in await held(store)] == [B]


async def test_one_from_a_future_that_nobody_believes_any_more_gives_way(store: Store) -> None:
    """It was taken while this machine's clock was ahead; nothing would be taken for as long."""
    await keep(store, A, NOW + 86400)
    assert await keep(store, B, NOW) is None
    assert [one.head.time for one in await held(store)] == [NOW]


async def test_the_same_once_more_changes_nothing(store: Store) -> None:
    await keep(store, A, NOW - 60, received=NOW - 50)
    before = await held(store)
    assert await keep(store, A, NOW - 60, received=NOW) is None
    assert await held(store) == before


pushes = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("kl"), st.binary(max_size=3), st.integers(0, 3)),
    max_size=6,
)


async def test_twice_is_once(tmp_path: Path) -> None:
    """Whatever was pushed before: each push changes nothing when it comes again at once."""
    store = Store(f"sqlite:///{tmp_path}/s.sqlite")
    await store.migrate()
    loop = asyncio.get_running_loop()

    async def run(pushed: list[tuple[str, str, bytes, int]]) -> None:
        for agent, kind, body, time in pushed:
            once = await keep(store, body, NOW + time, agent=agent, kind=kind, received=NOW + time)
            after = await heads(store), await held(store, "a"), await held(store, "b")
            twice = await keep(store, body, NOW + time, agent=agent, kind=kind, received=NOW + 100)
            assert twice == once
            assert (await heads(store), await held(store, "a"), await held(store, "b")) == after

    @given(pushes)
    def check(pushed: list[tuple[str, str, bytes, int]]) -> None:
        asyncio.run_coroutine_threadsafe(run(pushed), loop).result(60)

    try:
        await asyncio.to_thread(check)
    finally:
        await store.close()


async def test_two_at_a_time_leave_the_newer_one(url: str | URL, open_store: Callable[..., Store]) -> None:
    """Two workers: whichever is first, and one may have to try again."""
    stores = [open_store(url), open_store(url)]
    await stores[0].migrate()
    await keep(stores[0], b"{}", NOW - 10)
    for number in range(10):
        await asyncio.gather(
            keep(stores[0], A, NOW + number, received=0), keep(stores[1], B, NOW + number + 0.5, received=0)
        )
        assert [one.head.time for one in await held(stores[0])] == [NOW + number + 0.5]


async def test_what_is_old_goes_with_history(store: Store) -> None:
    await keep(store, A, NOW - 90, received=NOW - 90)
    await keep(store, A, NOW - 10, agent="b", received=NOW - 10)
    await prune(store, Ages(0, 0), NOW - 60)
    assert [one.agent for one in await heads(store)] == ["b"]


async def test_it_outlasts_saves_of_snapshots_beside_it(
    url: str | URL, open_store: Callable[..., Store]
) -> None:
    saving, pushing = open_store(url), open_store(url)
    await saving.migrate()

    async def save_on() -> None:
        for number in range(10):
            await save(saving, snapshot(NOW + number), [], [])

    async def push_on() -> None:
        for number in range(20):
            assert await keep(pushing, A, NOW + number, received=NOW) is None

    await asyncio.gather(save_on(), push_on())
    assert [one.head.time for one in await held(saving)] == [NOW + 19]


async def test_a_damaged_body_is_told(store: Store) -> None:
    await keep(store, A, NOW)
    async with store.transaction() as connection:
        body = "'a'::bytea" if store.shared else "agent"
        await connection.exec_driver_sql(f"UPDATE report SET body = {body}")
    with pytest.raises(StoreCorruptError, match="report of agent 'a' is damaged"):
        await held(store)


async def test_nothing_is_written_while_the_file_is_set_aside(tmp_path: Path) -> None:
    """A log that is begun beside a file just moved away would be played into the next one."""
    path = tmp_path / "s.sqlite"
    store = Store(f"sqlite:///{path}")
    await store.migrate()
    await keep(store, A, NOW)
    going_on = asyncio.Event()

    async def setting_aside() -> None:
        await asyncio.to_thread(prepare, path, Care(known=99, ours=True, damage="said so"), NOW)
        going_on.set()

    with beside(path):
        task = asyncio.create_task(setting_aside())
        await asyncio.sleep(0.1)
        assert not going_on.is_set()
        assert path.exists()
    await task
    other = Store(f"sqlite:///{path}")
    await other.migrate("it was")
    assert await keep(store, B, NOW) is None  # follows to the file that is there now
    assert [one.body for one in await held(other)] == [B]
    with beside(path), beside(path):
        pass
    await store.close()
    await other.close()


async def test_while_it_is_looked_at_a_push_is_told_to_come_again(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/s.sqlite")
    await store.migrate()
    with _alone(tmp_path), pytest.raises(StoreBusyError, match="is being looked at"):
        await keep(store, A, NOW)
    assert await keep(store, A, NOW) is None
    await store.close()
