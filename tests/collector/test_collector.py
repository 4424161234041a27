"""The collector over real stores: cycle after cycle, through every trouble of the store."""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from tornado.ioloop import IOLoop

from rcmon.collector.collector import Collector
from rcmon.collector.publisher import Publisher
from rcmon.errors import StoreBusyError, StoreCorruptError
from rcmon.model import Agent, Batch, Document, Snapshot
from rcmon.store import Store, engine, pruning
from rcmon.store.pruning import Ages
from tests.collector.steady import Steady
from tests.scripted import Scripted, until
from tests.servers import free_port, postgresql
from tests.store.made import agent, agent_site, document
from tests.store.using import kinds, last_snapshot, load_documents, newest_id, past


def render(snapshot: Snapshot, previous: Mapping[str, Document]) -> list[Document]:
    """Render a snapshot and what of the one before was at hand."""
    return [document("sites", f"{snapshot.started:g} after {sorted(previous)}".encode())]


class Lab:
    """A collector on a store, with one source."""

    def __init__(self, url: str | URL, holder: str = "one", retention: float = 86400.0) -> None:
        self.source = Scripted("a", [agent("a", 3)])
        self.store = Store(url)
        self.cycle = Steady([self.source], 60.0, 3600.0)
        self.troubles: dict[str, str] = {}
        self.mended = 0
        self.journaled: Counter[str] = Counter()
        self.publisher = Publisher(
            self.store,
            ages=Ages(retention, retention),
            holder=holder,
            tell_trouble=self.tell,
            mended=self.count,
            journaled=lambda kind, count: self.journaled.update({kind: count}),
            running=lambda: self.cycle.at,
            lasts=3600.0,
        )
        self.collector = Collector(self.cycle, self.publisher, render, tell_trouble=self.tell)

    def count(self) -> None:
        self.mended += 1

    async def move(self, url: str | URL) -> None:
        """Let the store be elsewhere."""
        await self.store.close()
        self.store = self.publisher._store = self.publisher._leadership._store = Store(url)

    def tell(self, what: str, reason: str | None) -> None:
        self.troubles = {key: text for key, text in self.troubles.items() if key != what}
        if reason is not None:
            self.troubles[what] = reason

    async def last(self) -> Snapshot | None:
        return await last_snapshot(self.store)


NewLab = Callable[..., Lab]


@pytest.fixture
def new_lab(io_loop: IOLoop) -> Iterator[NewLab]:
    made: list[Lab] = []

    def make(url: str | URL, holder: str = "one", retention: float = 86400.0) -> Lab:
        made.append(Lab(url, holder, retention))
        return made[-1]

    yield make
    for lab in made:
        io_loop.run_sync(lab.store.close)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rcmon.sqlite"


@pytest.fixture
def lab(new_lab: NewLab, path: Path, io_loop: IOLoop) -> Lab:
    made = new_lab(f"sqlite:///{path}")
    io_loop.run_sync(made.store.migrate)
    return made


async def test_a_step_stores_the_snapshot_its_documents_and_its_history(lab: Lab) -> None:
    result = await lab.collector.step(1000.0)
    assert result is not None
    assert list(result.agents) == ["a"]
    assert await lab.last() == result
    number = await newest_id(lab.store)
    assert number is not None
    assert [one.key for one in await load_documents(lab.store, number)] == ["sites"]
    assert len(await past(lab.store, "a", "T2_XX_Site0001", 0)) == 1


async def test_history_grows_only_by_what_changed(lab: Lab) -> None:
    for start in (1000.0, 1060.0):
        await lab.collector.step(start)
    lab.source.script = [agent("a", [agent_site("T2_XX_Site0001", "Down", seed=31)])]
    await lab.collector.step(1120.0)
    times = [(row.time, row.state) for row in await past(lab.store, "a", "T2_XX_Site0001", 0)]
    assert times == [(1000.0, "Normal"), (1120.0, "Down")]
    assert (await past(lab.store, "a", "T2_XX_Site0000", 0))[-1].running_jobs is None


async def test_a_restart_goes_on_where_it_ended(lab: Lab, new_lab: NewLab, path: Path) -> None:
    await lab.collector.step(1000.0)
    again = new_lab(f"sqlite:///{path}")
    again.source.mood = "fail"
    result = await again.collector.step(1060.0)
    assert result is not None
    assert result.sources[0].stale
    assert list(result.agents) == ["a"]
    third = new_lab(f"sqlite:///{path}")
    third.source.mood = "fail"
    result = await third.collector.step(1120.0)
    assert result is not None
    assert result.sources[0].errors_total == 2
    assert len(await past(third.store, "a", "T2_XX_Site0001", 0)) == 1  # nothing changed since


async def test_the_documents_before_are_there_to_be_used_again(lab: Lab) -> None:
    for start in (1.0, 2.0):
        await lab.collector.step(start)
    number = await newest_id(lab.store)
    assert number is not None
    (found,) = await load_documents(lab.store, number)
    assert found == document("sites", b"2 after ['sites']")


async def test_rendering_does_not_hold_up_the_loop(lab: Lab) -> None:
    """The rendering waits for something that only the loop can do."""
    go_on = threading.Event()
    here = threading.get_ident()
    there: list[int] = []

    def waiting(snapshot: Snapshot, _: Mapping[str, Document]) -> list[Document]:
        there.append(threading.get_ident())
        assert go_on.wait(30)
        return [document()]

    lab.collector._render = waiting
    step = asyncio.ensure_future(lab.collector.step(1.0))
    await until(lambda: bool(there))
    go_on.set()
    await step
    assert there != [here]


async def test_trouble_with_the_store_is_logged_once_and_passes(
    lab: Lab, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "rcmon.collector.publisher")
    await lab.collector.step(1000.0)
    await lab.store.close()
    monkeypatch.setattr(engine, "PRAGMAS", ("query_only=ON",))
    lab.source.script = [agent("a", [agent_site("T2_XX_Site0001", "Down")])]
    for start in (1060.0, 1120.0, 1180.0):
        result = await lab.collector.step(start)
        assert result is not None
        assert lab.publisher.trouble is not None
        assert lab.troubles == {"store": str(lab.publisher.trouble)}
    monkeypatch.undo()
    result = await lab.collector.step(1240.0)
    assert lab.publisher.trouble is None
    assert lab.troubles == {}
    assert await lab.last() == result
    # what changed meanwhile is in the history, at the time when it could be written
    assert [row.time for row in await past(lab.store, "a", "T2_XX_Site0001", 0)] == [1000.0, 1240.0]
    messages = [record.message.partition(":")[0] for record in caplog.records]
    assert messages == ["the store fails, the next cycle tries again", "the store works again"]


async def test_a_store_that_is_damaged_while_in_use_is_made_afresh(lab: Lab, path: Path) -> None:
    await lab.collector.step(1000.0)
    await lab.store.close()
    path.write_bytes(os.urandom(20_000))
    result = await lab.collector.step(1060.0)
    assert await lab.last() == result
    assert await kinds(lab.store) == ["set_aside", "made"]
    assert len(await past(lab.store, "a", "T2_XX_Site0001", 0)) == 1
    path.unlink()
    await lab.collector.step(1120.0)
    assert await kinds(lab.store) == ["set_aside", "made"]  # its log was left
    assert len(await past(lab.store, "a", "T2_XX_Site0001", 0)) == 1
    assert lab.publisher.trouble is None


async def test_a_store_that_cannot_be_read_at_the_start_is_not_waited_for(
    lab: Lab, new_lab: NewLab, path: Path
) -> None:
    await lab.collector.step(1000.0)
    again = new_lab(f"sqlite:///{path}")
    away = path.rename(path.with_name("away"))
    with pytest.raises(StoreCorruptError):
        await newest_id(again.store)
    again.source.mood = "fail"
    path.mkdir()  # now nothing can be made there either
    result = await again.collector.step(1060.0)
    assert result is not None
    assert again.publisher.trouble is not None
    path.rmdir()
    away.rename(path)
    result = await again.collector.step(1120.0)
    assert again.publisher.trouble is None
    assert await lab.last() == result


async def test_old_history_is_pruned_now_and_then(new_lab: NewLab, path: Path) -> None:
    lab = new_lab(f"sqlite:///{path}", retention=100.0)
    await lab.store.migrate()
    for number, start in enumerate((1000.0, 1060.0, 1120.0, 5000.0)):
        lab.source.script = [agent("a", [agent_site("T2_X", seed=number)])]
        await lab.collector.step(start)
    assert [row.time for row in await past(lab.store, "a", "T2_X", 0)] == [1120.0, 5000.0]


async def test_pruning_that_was_cut_off_is_done_by_the_next_cycle(
    new_lab: NewLab, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab(f"sqlite:///{path}", retention=100.0)
    await lab.store.migrate()
    for number, start in enumerate((1000.0, 1060.0, 1120.0)):
        lab.source.script = [agent("a", [agent_site("T2_X", seed=number)])]
        await lab.collector.step(start)
    begun = asyncio.Event()

    async def hangs(_connection: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as harm:
        harm.setattr(pruning, "prune_notes", hangs)
        step = asyncio.ensure_future(lab.collector.step(5000.0))
        await begun.wait()
        step.cancel()
        await asyncio.wait({step})
    assert [row.time for row in await past(lab.store, "a", "T2_X", 0)] == [1000.0, 1060.0, 1120.0]
    await lab.collector.step(5060.0)
    assert [row.time for row in await past(lab.store, "a", "T2_X", 0)] == [1120.0]


async def test_a_record_that_cannot_be_stored_loses_no_cycle(lab: Lab) -> None:
    odd: list[Agent] = [agent("a", [agent_site("T2_\0", "No\0"), agent_site("T2_X", slots=2**63)])]
    lab.source.script = odd
    result = await lab.collector.step(1000.0)
    assert lab.publisher.trouble is None
    assert await lab.last() == result


async def test_run_steps_at_once_and_cleans_up(lab: Lab) -> None:
    stop = asyncio.Event()
    running = asyncio.ensure_future(lab.collector.run(stop))
    await until(lambda: lab.source.polls == 1)
    async with asyncio.timeout(300):
        while await lab.last() is None:
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 300)
    assert lab.source.closed == 1


async def test_sources_are_replaced_from_the_next_step_on(lab: Lab) -> None:
    await lab.collector.step(1000.0)
    other = Scripted("b", [agent("b")])
    lab.collector.replace_sources([other])
    result = await lab.collector.step(1060.0)
    assert result is not None
    assert list(result.agents) == ["b"]
    assert lab.source.closed == 1
    await lab.collector.close()
    assert other.closed == 1


@pytest.fixture(scope="session")
def server_url() -> Iterator[URL]:
    with postgresql() as server:
        yield URL.create("postgresql", server.user, server.password, "127.0.0.1", server.port, "postgres")


async def test_of_two_replicas_on_one_database_one_collects(
    server_url: URL, new_lab: NewLab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "rcmon.collector.publisher")
    first, second = new_lab(server_url), new_lab(server_url, "two")
    await first.store.migrate()
    await second.store.migrate()
    await expire_lease(first.store)
    assert await first.collector.step(1000.0) is not None
    assert await second.collector.step(1000.0) is None
    assert (first.source.polls, second.source.polls) == (1, 0)
    first.source.mood = "fail"
    await first.collector.step(1060.0)
    second.source.mood = "fail"
    await expire_lease(first.store)  # the first one sleeps
    result = await second.collector.step(1120.0)
    assert result is not None
    assert result.sources[0].errors_total == 2  # it goes on from what the other one stored
    assert result.sources[0].stale
    assert await first.collector.step(1130.0) is None
    assert first.publisher.trouble is None
    await second.collector.close()  # it gives the lease back
    result = await first.collector.step(1180.0)
    assert result is not None
    assert result.sources[0].errors_total == 3
    assert [record.message for record in caplog.records if record.name == "rcmon.collector.publisher"] == [
        "one collects now",
        "two collects now",
        "one leaves collecting to another replica",
        "one collects now",
    ]


async def test_a_shared_store_out_of_reach_is_asked_again_in_the_next_cycle(
    server_url: URL, new_lab: NewLab, caplog: pytest.LogCaptureFixture
) -> None:
    lab = new_lab(server_url, "three")
    await lab.store.migrate()
    await expire_lease(lab.store)
    assert await lab.collector.step(3000.0) is not None
    await lab.move(server_url.set(port=free_port()))
    assert await lab.collector.step(3060.0) is None
    assert await lab.collector.step(3120.0) is None
    assert lab.publisher.trouble is not None
    assert caplog.text.count("the store fails") == 1
    await lab.move(server_url)
    assert await lab.collector.step(3180.0) is not None
    assert lab.publisher.trouble is None
    await lab.move(server_url.set(port=free_port()))
    await lab.collector.close()
    assert "the lease cannot be given back" in caplog.text


async def test_a_replica_that_cannot_read_what_another_one_left_does_not_contradict_it(
    server_url: URL, new_lab: NewLab
) -> None:
    first, second = new_lab(server_url), new_lab(server_url, "two")
    await first.store.migrate()
    await expire_lease(first.store)
    await first.collector.step(1000.0)
    await expire_lease(first.store)
    theirs = await second.collector.step(1060.0)
    assert theirs is not None
    await expire_lease(first.store)
    reading = first.store._reading
    first.store._reading = Store(server_url.set(port=free_port()))._reading
    assert await first.collector.step(1120.0) is None
    assert first.publisher.trouble is not None
    assert await second.last() == theirs
    first.store._reading = reading
    result = await first.collector.step(1180.0)
    assert result is not None
    assert result.sources[0].last_success == 1180.0


async def expire_lease(store: Store) -> None:
    async with store.transaction() as connection:
        await connection.exec_driver_sql("UPDATE lease SET expires = 0")


async def test_a_replica_that_sleeps_in_a_step_does_not_overwrite_the_other_one(
    server_url: URL, new_lab: NewLab
) -> None:
    first, second = new_lab(server_url), new_lab(server_url, "two")
    await first.store.migrate()
    await expire_lease(first.store)
    taken = []

    class Sleeper(Scripted):
        async def poll(self, now: float) -> Batch:
            await expire_lease(first.store)
            taken.append(await second.collector.step(2010.0))
            return await super().poll(now)

    first.collector.replace_sources([Sleeper("a", [agent("a", 1)])])
    assert await first.collector.step(2000.0) is not None
    assert taken[0] is not None
    assert await second.last() == taken[0]
    assert isinstance(first.publisher.trouble, StoreBusyError)
