"""Whatever a source gives, it fails alone: through merge, findings, rendering, history and the store."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from math import inf, nan
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy.engine import URL
from tornado.ioloop import IOLoop

from rcmon.collector.collector import Collector
from rcmon.collector.isolation import isolated
from rcmon.collector.polling import Heard
from rcmon.collector.publisher import Publisher
from rcmon.errors import SourceError
from rcmon.model import Agent, AgentSite, Batch, Component, Document, Finding, Jobs, Snapshot, Task, Worker
from rcmon.render import render
from rcmon.store import Store
from rcmon.store.pruning import Ages
from tests.collector.steady import Steady
from tests.collector.test_merge import bad, good
from tests.scripted import Scripted
from tests.servers import postgresql
from tests.store.made import agent, agent_site
from tests.store.using import last_snapshot, load_documents, newest_id, past

LARGEST = 2**63

texts = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["", "\0", "\udcff", "a\nb", '"', "x" * 1_000_000, "T2_XX_Site0001", "a", "b"]),
)
wholes = st.one_of(
    st.integers(), st.sampled_from([-LARGEST, LARGEST - 1, LARGEST, 2 * LARGEST - 1, 2 * LARGEST, 10**400])
)
numbers = st.one_of(st.floats(), st.sampled_from([inf, -inf, nan, 1e308, -1e308, 1e-320]))
nonsense = st.one_of(
    st.none(),
    st.booleans(),
    st.binary(max_size=3),
    st.just(object()),
    st.lists(st.integers(), max_size=2),
    texts,
)


def maybe(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Give what is of the right type, now and then nothing, seldom nonsense."""
    return st.one_of(right, right, right, st.none(), nonsense)


jobs = st.builds(Jobs, *[wholes] * 5)
tasks = st.builds(Task, maybe(wholes), maybe(wholes), maybe(wholes), st.one_of(jobs, nonsense), maybe(wholes))
sites = st.builds(
    AgentSite,
    maybe(texts),
    maybe(texts),
    maybe(numbers),
    maybe(texts),
    maybe(texts),
    maybe(wholes),
    maybe(wholes),
    st.one_of(st.lists(texts, max_size=2).map(tuple), nonsense),
    st.one_of(st.dictionaries(texts, tasks, max_size=2), nonsense),
    st.one_of(st.dictionaries(wholes, wholes, max_size=2), nonsense),
)
workers = st.builds(
    Worker, texts, maybe(texts), maybe(numbers), maybe(numbers), maybe(numbers), maybe(wholes), maybe(numbers)
)
components = st.builds(
    Component, texts, maybe(wholes), numbers, st.one_of(st.lists(workers, max_size=2).map(tuple), nonsense)
)
found = st.builds(Finding, texts, maybe(texts), texts, wholes, maybe(texts), maybe(texts))
counts = maybe(st.dictionaries(texts, wholes, max_size=2))
agents = st.builds(
    Agent,
    texts,
    st.one_of(numbers, nonsense),
    sites=st.one_of(st.dictionaries(texts, sites, max_size=2), nonsense),
    jobs_by_state=counts,
    batch_active=counts,
    created_by_task=counts,
    components=maybe(st.lists(components, max_size=2).map(tuple)),
    hostname=maybe(texts),
    drain=st.one_of(st.booleans(), nonsense),
    findings=st.one_of(st.lists(found, max_size=2).map(tuple), nonsense),
)
batches = st.one_of(
    st.builds(
        Batch, texts, texts, numbers, numbers, st.one_of(st.lists(agents, max_size=2).map(tuple), nonsense)
    ),
    nonsense,
)


class Lying(Scripted):
    """Gives whatever it is told to, as nobody may."""

    def __init__(self, name: str, given: object) -> None:
        super().__init__(name)
        self.given = given

    async def poll(self, now: float) -> Batch:
        return cast("Batch", self.given)


class Lab:
    """A collector with a real store and the real rendering, in which a good source stands beside others."""

    def __init__(self, url: str | URL) -> None:
        self.good = Scripted("good", [agent("zz good", 2)])
        self.store = Store(url)
        self.cycle = Steady([self.good], 60.0, 3600.0)
        self.troubles: dict[str, str | None] = {}
        self.publisher = Publisher(
            self.store,
            ages=Ages(1e9, 1e9),
            holder="one",
            tell_trouble=self.troubles.__setitem__,
            running=lambda: self.cycle.at,
        )
        self.collector = Collector(self.cycle, self.publisher, render, tell_trouble=self.troubles.__setitem__)
        self.at = 1000.0

    async def step(self, *others: Scripted) -> Snapshot:
        """Run one cycle, hold that it was published whole and that the good source is in it; give it."""
        self.at += 60
        self.collector.replace_sources([*others, self.good])
        snapshot = await self.collector.step(self.at)
        assert snapshot is not None
        assert self.publisher.trouble is None
        assert snapshot.sources[-1].last_success == self.at
        assert "zz good" in snapshot.agents
        stored = await last_snapshot(self.store)
        assert stored is not None
        assert stored.started == self.at
        number = await newest_id(self.store)
        assert number is not None
        assert "agents/zz good" in {one.key for one in await load_documents(self.store, number)}
        return snapshot


@pytest.fixture
def lab(tmp_path: Path, io_loop: IOLoop) -> Iterator[Lab]:
    made = Lab(f"sqlite:///{tmp_path / 'rcmon.sqlite'}")
    io_loop.run_sync(made.store.migrate)
    yield made
    io_loop.run_sync(made.collector.close)
    io_loop.run_sync(made.store.close)


def full(name: str, slots: int, count: int = 1) -> Agent:
    site = agent_site("T2_X", slots=slots)
    return agent(name, [structs.replace(site, tasks={"Merge": Task(1, 1, 1, Jobs(running=count), 1)})])


@pytest.fixture
def shared(io_loop: IOLoop) -> Iterator[Lab]:
    """A lab on PostgreSQL, whose keys are short and whose texts hold no NUL."""
    with postgresql() as server:
        made = Lab(
            URL.create("postgresql", server.user, server.password, "127.0.0.1", server.port, "postgres")
        )
        io_loop.run_sync(made.store.migrate)
        yield made
        io_loop.run_sync(made.collector.close)
        io_loop.run_sync(made.store.close)


async def test_what_postgresql_takes_for_no_text_or_key_costs_nobody_a_cycle(shared: Lab) -> None:
    names = ["T2_\0", "x" * 1_000_000, "\U0001f600" * 2000, "y" * 2600, "T2_X"]
    odd = agent(
        "a", [agent_site(name, "No\0", slots=2**63 - 1 - number) for number, name in enumerate(names)]
    )
    for _ in range(2):
        snapshot = await shared.step(Scripted("one", [odd]), Scripted("two", [agent("\0")]))
        assert not snapshot.sources[1].up
    rows = [row for name in names for row in await past(shared.store, "a", name.replace("\0", ""), 0)]
    assert [row.site for row in rows] == []
    odd = agent("a", [agent_site(name, "No\0") for name in names])
    await shared.step(Scripted("one", [odd]))
    rows = await past(shared.store, "a", "T2_X", 0)
    assert [(row.site, row.state) for row in rows] == [("T2_X", "No\ufffd")]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(one=batches, other=batches)
@example(
    one=Batch("s", "k", 0.0, 0.0, (full("a", -LARGEST),)),
    other=Batch("s", "k", 0.0, 0.0, (full("b", -LARGEST),)),
)
@example(one=Batch("s", "k", 0.0, 0.0, (agent("x" * 1_000_000),)), other=None)
@example(one=Batch("s", "k", 0.0, 0.0, (agent("a", [agent_site("x" * 1_000_000)]),)), other=None)
@example(one=Batch("s", "k", inf, nan, (structs.replace(agent("a"), polled_at=inf),)), other=None)
def test_whatever_two_sources_give_the_third_is_published(
    lab: Lab, io_loop: IOLoop, one: object, other: object
) -> None:
    snapshot = io_loop.run_sync(lambda: lab.step(Lying("one", one), Lying("other", other)))
    for state in snapshot.sources[:-1]:
        assert state.up or state.error
    failing = {state.name for state in snapshot.sources if not state.up}
    told = [found for found in snapshot.findings if found.last_seen == snapshot.started]
    assert len([found for found in told if found.kind == "source_failing"]) == len(failing)


@pytest.mark.parametrize(
    ("first", "second", "failing"),
    [
        (full("a", -LARGEST), full("b", -LARGEST), ["one", "two"]),
        (full("a", LARGEST - 1), full("b", 5), ["one"]),
        (full("a", 5), full("b", 2 * LARGEST - 1), ["two"]),
        (full("a", 5, LARGEST - 1), full("b", 5), ["one"]),
        (full("a", 2**49), full("b", 2**50), ["two"]),  # neither alone: as many as go together
    ],
)
async def test_a_sum_that_cannot_be_names_site_number_and_source(
    lab: Lab, caplog: pytest.LogCaptureFixture, first: Agent, second: Agent, failing: Sequence[str]
) -> None:
    caplog.set_level(logging.WARNING)
    sources = [Scripted("one", [first]), Scripted("two", [second])]
    for _ in range(3):
        snapshot = await lab.step(*sources)
        assert [state.name for state in snapshot.sources if not state.up] == failing
        for state in snapshot.sources:
            assert state.up or "site T2_X: " in str(state.error)
        told = [found.message for found in snapshot.findings if found.kind == "source_failing"]
        assert len(told) == len(failing)
        assert all(f"source {name}: " in str(lab.troubles["render"]) for name in failing)
    assert caplog.text.count(" fails: ") == len(failing)  # logged when it begins, not again
    assert "Traceback" not in caplog.text
    sources[0].script, sources[1].script = [full("a", 5)], [full("b", 5)]
    snapshot = await lab.step(*sources)
    assert snapshot.sites["T2_X"].running_slots == 10
    assert lab.troubles["render"] is None


async def test_what_was_good_stays_while_what_is_new_cannot_be_shown(lab: Lab) -> None:
    source = Scripted("one", [full("a", 7)])
    await lab.step(source)
    source.script = [full("a", -LARGEST)]
    snapshot = await lab.step(source)
    state = snapshot.sources[0]
    assert (state.up, state.stale, state.errors_total) == (False, True, 1)
    assert snapshot.sites["T2_X"].running_slots == 7


async def test_an_error_while_rendering_costs_only_the_source_whose_data_raise_it(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where it is the data of an earlier cycle that cannot be rendered any more."""
    broken: set[str] = set()

    def breaking(snapshot: Snapshot, previous: Mapping[str, Document]) -> list[Document]:
        if broken & snapshot.agents.keys():
            raise ZeroDivisionError("cannot render")
        return render(snapshot, previous)

    lab.collector._render = breaking
    one, two = Scripted("one", [agent("a")]), Scripted("two", [agent("b")])
    assert {"a", "b"} <= (await lab.step(one, two)).agents.keys()
    broken.add("a")
    for _ in range(3):
        snapshot = await lab.step(one, two)
        assert "a" not in snapshot.agents
        assert "b" in snapshot.agents
        assert "ZeroDivisionError: cannot render" in str(snapshot.sources[0].error)
        assert snapshot.sources[1].up
    assert caplog.text.count("Traceback") == 1
    broken.clear()
    assert "a" in (await lab.step(one, two)).agents


async def test_a_poll_that_raises_what_nobody_expected_is_logged_once(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    def infinite(_: float) -> list[Agent]:
        return [agent("a", int(inf))]

    source = Scripted("one", infinite)
    for _ in range(3):
        assert "OverflowError" in str((await lab.step(source)).sources[0].error)
    assert caplog.text.count("Traceback") == 1


@pytest.mark.parametrize("name", ["", "a\0", "a\nb", "x" * 201, "\u202e"])
async def test_an_agent_whose_name_can_be_no_key_is_refused(lab: Lab, name: str) -> None:
    snapshot = await lab.step(Scripted("one", [agent(name)]))
    assert "no agent's name" in str(snapshot.sources[0].error)


async def test_an_error_of_any_text_is_one_line_that_can_be_shown(lab: Lab) -> None:
    def fail(_: float) -> list[Agent]:
        raise SourceError(f"a file \udcff\n{'x' * 100_000}")

    error = str((await lab.step(Scripted("one", fail))).sources[0].error)
    assert error.startswith(r"a file \udcff xxx")
    assert len(error) < 2000


def test_what_fails_of_nothing_fails() -> None:
    def make(_: Sequence[Heard]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        isolated(make, [Heard("one", "test", (good("one"),))])


def test_nobody_is_tried_where_nothing_raises() -> None:
    calls: list[Sequence[Heard]] = []
    heard = [Heard("one", "test", (good("one"),)), Heard("two", "test", (bad("two"),))]
    assert isolated(calls.append, heard) == (None, {})
    assert calls == [heard]
