"""Polls that replicas on one PostgreSQL do for the one that collects, and what becomes of all others."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import text
from tornado.ioloop import IOLoop

from rcmon.collector import assigning, poller
from rcmon.collector.leadership import Leadership
from rcmon.collector.poller import RELEASE
from rcmon.collector.sharing import Sharing
from rcmon.errors import SourceError
from rcmon.model import Agent, Batch
from rcmon.sources.base import Source, poll_one
from rcmon.store import Store
from rcmon.store.assignments import (
    Assignment,
    Outcome,
    announce,
    assign,
    assigned,
    conclude,
    outcomes,
    pollers,
    take,
    withdraw,
)
from rcmon.store.codec import pack_batch
from tests.integration.replicas import url_of
from tests.integration.wire import wire
from tests.scripted import Scripted, until
from tests.servers import Server, postgresql

LONG = 3600.0
NAMES = ("a", "b", "c", "d")
NOW = 1.7e9
"""Long ago: whoever polls by a clock of its own is found out."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


@pytest.fixture
def store(server: Server, io_loop: IOLoop) -> Iterator[Store]:
    made = Store(url_of(server))
    io_loop.run_sync(made.migrate)
    io_loop.run_sync(lambda: forget(made))
    yield made
    io_loop.run_sync(made.close)


async def forget(store: Store) -> None:
    async with store.transaction() as connection:
        await connection.execute(text("UPDATE lease SET holder = '', expires = 0"))
        await connection.execute(text("DELETE FROM poller"))
        await connection.execute(text("DELETE FROM assignment"))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody be given up since the machine is busy."""
    monkeypatch.setattr(assigning, "BEGIN", LONG)
    monkeypatch.setattr(assigning, "LASTS", LONG)
    monkeypatch.setattr(poller, "LASTS", LONG)


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record for record in caplog.records if record.name == assigning.__name__]
    return [record.getMessage() for record in found if record.levelname == "WARNING"]


def sources(*names: str, timeout: float = 60.0) -> dict[str, Scripted]:
    return {name: Scripted(name, [Agent(name, NOW)], timeout=timeout) for name in names}


class Replica:
    """One of those that share the store; what it polls by itself is counted by its sources."""

    def __init__(self, url: str, name: str, own: dict[str, Scripted]) -> None:
        self.name, self.own, self.store = name, own, Store(url)
        self.leadership = Leadership(self.store, name, LONG)
        self.done: list[bool] = []
        self.sharing = Sharing(self.store, name, lambda: self.leadership.term, self.done.append)
        self.everywhere: Sequence[Source] = self.sharing.among_all([*own.values()])
        self.task = asyncio.create_task(self.sharing.run())

    @property
    def polls(self) -> dict[str, int]:
        """Give how often each source was polled here."""
        return {name: source.polls for name, source in self.own.items()}

    async def cycle(self) -> dict[str, str | None]:
        """Poll every source as a cycle does; gives the errors by source."""
        polls = await asyncio.gather(*(poll_one(source, NOW) for source in self.everywhere))
        for poll in polls:
            if poll.batch is not None:
                assert (poll.batch.source, poll.batch.polled_at) == (poll.source, NOW)
                assert [agent.name for agent in poll.batch.agents] == [poll.source]
        return {poll.source: poll.error for poll in polls}

    async def die(self) -> None:
        """Be gone without a word."""
        self.task.cancel()
        await asyncio.wait({self.task})

    async def is_forgotten(self) -> None:
        """Let the time be over for which a word of it counts."""
        forgotten = text("UPDATE poller SET expires = 0 WHERE replica = :name")
        async with self.store.transaction() as connection:
            await connection.execute(forgotten, {"name": self.name})

    async def close(self) -> None:
        await self.die()
        with suppress(Exception):  # its way to the store may be cut
            async with asyncio.timeout(5):
                await self.sharing.close()
        await self.store.close()


@asynccontextmanager
async def replicas(
    server: Server, one: dict[str, Scripted], two: dict[str, Scripted], port: int | None = None
) -> AsyncIterator[tuple[Replica, Replica]]:
    """Run two, of which the first collects; `port`: of its way to the store."""
    first, second = Replica(url_of(server, port), "one", one), Replica(url_of(server), "two", two)
    try:
        assert await first.leadership.seek()
        await known(first, second)
        yield first, second
    finally:
        await first.close()
        await second.close()


async def left(store: Store) -> int:
    """Count what is assigned."""
    async with store.reading() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM assignment"))).scalar_one())


async def known(first: Replica, second: Replica) -> None:
    """Wait until the second one is asked for its part."""
    for _ in itertools.count():
        before = len(second.done)
        await first.cycle()
        if len(second.done) > before:
            break
        await asyncio.sleep(0.05)
    for source in (*first.own.values(), *second.own.values()):
        source.polls = 0
    second.done.clear()


async def in_the_midst(first: Replica, second: Replica) -> "asyncio.Task[dict[str, str | None]]":
    """Begin a cycle of which the second one's part hangs, and wait until it does."""
    for name in ("b", "d"):
        second.own[name].mood = "hang"
    cycle = asyncio.create_task(first.cycle())
    await until(lambda: second.polls["b"] + second.polls["d"] == 2)
    return cycle


async def test_each_replica_polls_its_part_as_the_one_that_collects_tells_the_time(
    store: Store, server: Server
) -> None:
    async with replicas(server, sources(*NAMES), sources(*NAMES)) as (one, two):
        assert await one.cycle() == dict.fromkeys(NAMES)
        assert await one.cycle() == dict.fromkeys(NAMES)
        assert one.polls == {"a": 2, "b": 0, "c": 2, "d": 0}
        assert two.polls == {"a": 0, "b": 2, "c": 0, "d": 2}
        assert two.done == [True] * 4
        assert await left(store) <= 2  # the last ones, until the next look


async def test_what_one_cannot_read_is_read_here_and_not_asked_of_it_again(
    store: Store, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    two = sources(*NAMES)
    async with replicas(server, sources(*NAMES), two) as (first, second):
        two["b"].mood = "fail"
        for number in (1, 2, 3):
            assert await first.cycle() == dict.fromkeys(NAMES)
            assert first.polls["b"] == number
        assert second.polls["b"] == 1
        assert second.polls["d"] == 3
    assert warned(caplog) == ["source b is polled here, replica two could not: the database is not there"]


async def test_an_error_with_a_nul_is_told_as_any_other(
    store: Store, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: float) -> Sequence[Agent]:
        raise SourceError("the search failed: \0oops")

    two = sources(*NAMES)
    async with replicas(server, sources(*NAMES), two) as (first, _):
        two["b"].script = fail
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert first.polls == {"a": 2, "b": 2, "c": 2, "d": 0}
    assert warned(caplog) == [r"source b is polled here, replica two could not: the search failed: \x00oops"]


async def test_an_outcome_that_the_store_refuses_costs_itself_only(
    store: Store, server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def odd(self: poller.Poller, assignment: Assignment) -> Outcome:
        if assignment.source == "b":
            return Outcome(assignment.ticket, taken=True, error="\0")
        return await given(self, assignment)

    given = poller.Poller._outcome
    async with replicas(server, sources(*NAMES), sources(*NAMES)) as (first, second):
        monkeypatch.setattr(poller.Poller, "_outcome", odd)
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert first.polls == {"a": 2, "b": 2, "c": 2, "d": 0}
        assert second.polls["d"] == 2
    assert "the store does not take what came of a poll for another replica" in caplog.text
    assert warned(caplog) == [
        "source b is polled here, replica two could not: the store does not take what came of its poll"
    ]


async def test_it_is_asked_again_after_a_while(
    store: Store, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assigning, "DISTRUST", 0.0)
    two = sources(*NAMES)
    async with replicas(server, sources(*NAMES), two) as (first, second):
        two["b"].mood = "fail"
        await first.cycle()
        two["b"].mood = ""
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert (first.polls["b"], second.polls["b"]) == (1, 2)


async def test_a_source_that_fails_everywhere_fails_as_it_does_here(store: Store, server: Server) -> None:
    one, two = sources(*NAMES), sources(*NAMES)
    async with replicas(server, one, two) as (first, _):
        one["b"].mood = two["b"].mood = "fail"
        assert await first.cycle() == {**dict.fromkeys(NAMES), "b": "the database is not there"}


async def test_sources_that_another_one_does_not_have_are_read_here(store: Store, server: Server) -> None:
    """As while a new sources file is brought to one replica after the other."""
    one = sources(*NAMES)
    async with replicas(server, one, {**sources("b"), "d": Other("d", [Agent("d", NOW)])}) as (first, second):
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert first.polls == {"a": 1, "b": 0, "c": 1, "d": 1}
        assert second.polls == {"b": 1, "d": 0}
        first.everywhere = first.sharing.among_all([one["a"], one["b"]])
        assert await first.cycle() == {"a": None, "b": None}
        assert second.polls["b"] == 2


class Other(Scripted):
    kind = "other"


async def test_one_that_hangs_there_takes_its_time_and_no_more_and_is_read_here_then(
    store: Store, server: Server
) -> None:
    two = sources(*NAMES, timeout=LONG)
    one = {**sources(*NAMES), **sources("b", timeout=3.0)}
    async with replicas(server, one, two) as (first, second):
        two["b"].mood = "hang"
        told = await first.cycle()
        assert told == {**dict.fromkeys(NAMES), "b": "no answer within its timeout of 3 s"}
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert (first.polls["b"], second.polls["b"]) == (1, 1)
        # it is told that nobody waits any more
        await until(lambda: not any("assigned b" in task.get_name() for task in asyncio.all_tasks()))


async def test_who_dies_in_the_midst_is_replaced_at_once_by_whoever_collects(
    store: Store, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    two = sources(*NAMES)
    async with replicas(server, sources(*NAMES), two) as (first, second):
        cycle = await in_the_midst(first, second)
        await second.die()
        await second.is_forgotten()
        assert await cycle == dict.fromkeys(NAMES)
        assert first.polls == dict.fromkeys(NAMES, 1)
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert first.polls == dict.fromkeys(NAMES, 2)
    (told,) = warned(caplog)  # of all polls that it had
    assert told.startswith("replica two gives no sign of life any more: 2 polls ")


async def test_who_does_not_begin_is_not_waited_for(
    store: Store, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As one that was stopped a moment ago."""
    async with replicas(server, sources(*NAMES), sources(*NAMES)) as (first, second):
        await second.die()
        monkeypatch.setattr(assigning, "BEGIN", 0.5)
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert first.polls == dict.fromkeys(NAMES, 1)
    (told,) = warned(caplog)
    assert told.startswith("replica two did not begin within 0.5 s: 2 polls ")


async def test_who_leaves_is_asked_no_more_and_who_comes_is_asked(store: Store, server: Server) -> None:
    async with replicas(server, sources(*NAMES), sources(*NAMES)) as (first, second):
        await second.die()
        await second.sharing.close()
        async with store.transaction() as connection:
            assert await pollers(connection, RELEASE, LONG) == {"one"}
        third = Replica(url_of(server), "three", sources(*NAMES))
        try:
            await known(first, third)
            assert await first.cycle() == dict.fromkeys(NAMES)
            assert third.polls == {"a": 0, "b": 1, "c": 0, "d": 1}
        finally:
            await third.close()


async def test_another_release_is_not_asked(store: Store, server: Server) -> None:
    one = Replica(url_of(server), "one", sources(*NAMES))
    try:
        assert await one.leadership.seek()
        async with store.transaction() as connection:
            await announce(connection, "other", "0.0.1", LONG)
        for _ in range(3):
            assert await one.cycle() == dict.fromkeys(NAMES)
            await asyncio.sleep(assigning.REST)  # whoever is there is known by then
        assert one.polls == dict.fromkeys(NAMES, 3)
    finally:
        await one.close()


async def test_what_was_harmed_on_the_way_is_read_here(store: Store, server: Server) -> None:
    """Also what is of another source."""
    two = sources(*NAMES)
    async with replicas(server, sources(*NAMES), two) as (first, second):
        cycle = await in_the_midst(first, second)
        async with store.transaction() as connection:
            await connection.execute(text("UPDATE assignment SET batch = 'no batch' WHERE source = 'b'"))
            await connection.execute(
                text("UPDATE assignment SET batch = :other WHERE source = 'd'"),
                {"other": pack_batch(Batch("another", "scripted", NOW, 0.0))},
            )
        assert await cycle == dict.fromkeys(NAMES)
        assert first.polls == dict.fromkeys(NAMES, 1)


async def test_a_cut_way_to_the_store_ends_no_cycle(server: Server, store: Store) -> None:
    with wire(server.port) as way:
        two = sources(*NAMES)
        async with replicas(server, sources(*NAMES), two, way.port) as (first, second):
            cycle = await in_the_midst(first, second)
            way.cut()
            assert await cycle == dict.fromkeys(NAMES)
            await first.die()
            await first.sharing.close()  # though the store says nothing any more


async def test_who_does_not_collect_any_more_asks_nobody(server: Server, store: Store) -> None:
    two = sources(*NAMES)
    async with replicas(server, sources(*NAMES), two) as (first, second):
        cycle = await in_the_midst(first, second)
        async with store.transaction() as connection:
            await connection.execute(text("UPDATE lease SET expires = 0"))
        assert await second.leadership.seek()
        assert await cycle == dict.fromkeys(NAMES)
        two["b"].mood = two["d"].mood = ""
        # what the one before had left to this one is in nobody's way
        assert await second.cycle() == dict.fromkeys(NAMES)
        for _ in range(2000):
            if await left(store) == 0:
                break
            await asyncio.sleep(0.05)
        assert await left(store) == 0


async def test_one_source_is_never_polled_twice_at_once_by_one_replica(server: Server, store: Store) -> None:
    """As where it begins to collect while it polls for the one before."""
    two = sources(*NAMES)
    async with replicas(server, sources(*NAMES), two) as (first, second):
        two["b"].mood = "stubborn"
        cycle = asyncio.create_task(first.cycle())
        await until(lambda: second.polls["b"] == 1)
        mine = asyncio.create_task(poll_one(second.everywhere[1], NOW))
        done, _ = await asyncio.wait({mine}, timeout=0.5)
        assert not done
        assert second.polls["b"] == 1
        two["b"].released.set()
        assert (await mine).error is None
        assert second.polls["b"] == 2
        assert await cycle == dict.fromkeys(NAMES)


async def test_who_is_late_writes_nothing(store: Store) -> None:
    early, late = Assignment("t1", "a", "scripted", NOW), Assignment("t2", "a", "scripted", NOW + 1)
    async with store.transaction() as connection:
        await assign(connection, "two", [early])
        assert await assigned(connection, "two") == [early]
        await take(connection, ["t1"])
        assert await outcomes(connection, ["t1", "t2"]) == [Outcome("t1", taken=True)]
        await assign(connection, "three", [late])
        await conclude(connection, Outcome("t1", taken=True, batch=b"late"))
        assert await outcomes(connection, ["t1", "t2"]) == []
        assert await assigned(connection, "two") == []
        assert await assigned(connection, "three") == [late]
        await conclude(connection, Outcome("t2", taken=True, error="it failed"))
        assert await assigned(connection, "three") == []
        assert await outcomes(connection, ["t2"]) == [Outcome("t2", taken=True, error="it failed")]
        await withdraw(connection, ["t2"])
        assert await outcomes(connection, ["t2"]) == []


async def test_who_can_poll_is_known_for_as_long_as_it_says_so(store: Store) -> None:
    async with store.transaction() as connection:
        await announce(connection, "one", "1", 3.0, now=NOW)
        await announce(connection, "two", "1", 3.0, now=NOW)
        await announce(connection, "old", "0", 3.0, now=NOW)
        await announce(connection, "one", "1", 3.0, now=NOW + 2)
        assert await pollers(connection, "1", 3.0, now=NOW + 2) == {"one", "two"}
        assert await pollers(connection, "0", 3.0, now=NOW + 2) == {"old"}
        assert await pollers(connection, "1", 3.0, now=NOW + 4) == {"one"}
        # the clock was set back: whoever lives says so anew
        assert await pollers(connection, "1", 3.0, now=NOW - 600) == set()
        await announce(connection, "one", "1", 3.0, now=NOW - 600)
        assert await pollers(connection, "1", 3.0, now=NOW - 600) == {"one"}
        # one that comes makes room of those that are long gone
        await announce(connection, "new", "1", 3.0, now=NOW + 7200)
        names = await connection.execute(text("SELECT replica FROM poller"))
        assert [row[0] for row in names] == ["new"]


async def test_what_goes_wrong_in_the_store_is_told_once_and_goes_by(
    store: Store, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it is: the tables may even be gone for a moment, until they are made again."""
    async with replicas(server, sources(*NAMES), sources(*NAMES)) as (first, second):
        async with store.transaction() as connection:
            await connection.execute(text("ALTER TABLE assignment RENAME TO gone"))
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert await first.cycle() == dict.fromkeys(NAMES)
        await asyncio.sleep(1)
        async with store.transaction() as connection:
            await connection.execute(text("ALTER TABLE gone RENAME TO assignment"))
        await known(first, second)
        assert await first.cycle() == dict.fromkeys(NAMES)
        assert second.polls == {"a": 0, "b": 1, "c": 0, "d": 1}
    said = [record for record in caplog.records if record.name == poller.__name__]
    assert len(said) == 2  # one of each
