"""One cycle over sources that answer, fail, hang and lie."""

import asyncio
from typing import Any, cast

import pytest
from msgspec import structs

from rcmon.collector.soundness import checked
from rcmon.model import Agent, Jobs, Snapshot, Task
from rcmon.sources.base import Poll, Source, poll_one
from tests.collector.steady import Steady
from tests.collector.test_merge import good
from tests.scripted import Scripted, until
from tests.store.made import agent, agent_site, snapshot


def cycle_of(*sources: Source, previous: Snapshot | None = None, budget: float = 0.6) -> Steady:
    return Steady(sources, 60.0, 300.0, previous, budget=budget)


def polls_of(name: str) -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == f"poll {name}"]


async def test_a_cycle_polls_all_sources_and_concludes() -> None:
    cycle = cycle_of(
        Scripted("one", [agent("a")]), Scripted("two", [agent("b", [agent_site("T2_X", "Down")])])
    )
    result = await cycle.run_once(1000.0)
    assert list(result.agents) == ["a", "b"]
    assert (result.started, result.interval) == (1000.0, 60.0)
    assert result.duration > 0
    assert cycle.previous is result
    await cycle.close()


async def test_findings_are_part_of_the_snapshot() -> None:
    cycle = cycle_of(Scripted("one", mood="fail"))
    assert [found.kind for found in (await cycle.run_once(1000.0)).findings] == ["source_failing"]


async def test_a_cycle_continues_the_snapshot_it_is_given() -> None:
    previous = structs.replace(
        snapshot(900.0, [agent("one")]),
        sources=(structs.replace(snapshot(900.0, [agent("one")]).sources[0], kind="scripted"),),
    )
    result = await cycle_of(Scripted("one", mood="fail"), previous=previous).run_once(1000.0)
    assert result.sources[0].errors_total == 4
    assert list(result.agents) == ["one"]


async def test_sources_are_polled_at_once() -> None:
    """Each waits until all have begun: one after the other they would time out."""
    all_begun = asyncio.Barrier(5)

    class Together(Scripted):
        async def poll(self, now: float) -> Any:
            await all_begun.wait()
            return await super().poll(now)

    result = await cycle_of(*(Together(f"s{n}", [agent(f"a{n}")]) for n in range(5))).run_once(1.0)
    assert len(result.agents) == 5


async def test_a_source_that_hangs_or_dies_costs_the_others_nothing() -> None:
    def die(_: float) -> list[Agent]:
        raise RuntimeError

    cycle = cycle_of(
        Scripted("hangs", mood="hang", timeout=0.05),
        Scripted("fails", mood="fail"),
        Scripted("dies", die),
        Scripted("works", [agent("a")]),
    )
    result = await cycle.run_once(1000.0)
    assert [state.up for state in result.sources] == [False, False, False, True]
    assert all(state.error for state in result.sources[:3])
    assert list(result.agents) == ["a"]


async def test_a_poll_that_ends_in_no_way_that_is_allowed_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(source: Source, now: float) -> Poll:
        if source.name == "breaks":
            raise ZeroDivisionError
        return await poll_one(source, now)

    monkeypatch.setattr("rcmon.collector.polling.poll_one", broken)
    sources = Scripted("cancels", mood="cancel"), Scripted("breaks"), Scripted("works", [agent("a")])
    result = await cycle_of(*sources).run_once(1000.0)
    assert [state.error for state in result.sources] == [
        "was cancelled",
        "failed with ZeroDivisionError",
        None,
    ]
    assert list(result.agents) == ["a"]


async def test_a_poll_that_ignores_its_cancellation_does_not_hold_up_the_cycle() -> None:
    stubborn = Scripted("stubborn", [agent("b")], mood="stubborn", timeout=0.05)
    cycle = cycle_of(stubborn, Scripted("works", [agent("a")]))
    async with asyncio.timeout(300):
        first = await cycle.run_once(1000.0)
        second = await cycle.run_once(1060.0)
    assert "does not end, though its timeout of 0.05 s is over" in str(first.sources[0].error)
    assert [state.errors_total for state in (first.sources[0], second.sources[0])] == [1, 2]
    assert second.sources[0].polling_since == 1000.0
    assert stubborn.polls == 1  # hanging polls do not pile up
    assert list(second.agents) == ["a"]
    stubborn.released.set()
    await until(lambda: not polls_of("stubborn"))
    assert (await cycle.run_once(1120.0)).sources[0].up
    assert stubborn.polls == 2


async def test_a_poll_outlives_a_cycle_that_is_cancelled_but_not_the_end() -> None:
    hanging = Scripted("hangs", mood="hang", timeout=1000.0)
    cycle = cycle_of(hanging)
    running = asyncio.ensure_future(cycle.run_once(1000.0))
    await until(lambda: hanging.polls == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert polls_of("hangs")
    await cycle.close()
    assert not polls_of("hangs")


LIES: list[Agent] = [
    agent("a", [agent_site(cast("str", 5))]),
    agent("a", [agent_site("T2_X", cast("str", ["Normal"]))]),
    agent("a", [agent_site("T2_X", slots=cast("int", "many"))]),
    agent("a", [agent_site("T2_X", slots=2**70)]),
    agent("a", [agent_site("T2_\udcff")]),
    agent("a", [structs.replace(agent_site("T2_X"), tasks=cast("dict[str, Task]", {None: None}))]),
    structs.replace(agent("a"), jobs_by_state={"new": cast("int", Jobs())}),
    structs.replace(agent("a"), polled_at=cast("float", object())),
    cast("Agent", None),
]


@pytest.mark.parametrize("lie", LIES, ids=range(len(LIES)))
async def test_a_source_that_gives_nonsense_fails_alone(lie: Agent) -> None:
    result = await cycle_of(Scripted("lies", [lie]), Scripted("works", [agent("b")])).run_once(1000.0)
    assert [state.up for state in result.sources] == [False, True]
    assert "cannot be used" in str(result.sources[0].error)
    assert list(result.agents) == ["b"]


def test_a_sound_poll_passes_the_check_as_it_is() -> None:
    poll = good("one", agent("a", 5))
    assert checked(poll) == poll


async def test_sources_can_be_replaced_while_running() -> None:
    stays, goes, comes = (Scripted(name, [agent(name)]) for name in ("stays", "goes", "comes"))
    cycle = cycle_of(stays, goes)
    assert list((await cycle.run_once(1.0)).agents) == ["goes", "stays"]
    cycle.replace_sources([comes, stays])
    assert list((await cycle.run_once(2.0)).agents) == ["comes", "stays"]
    await until(lambda: goes.closed == 1)
    assert (stays.closed, goes.closed, comes.closed) == (0, 1, 0)
    await cycle.close()
    assert (stays.closed, goes.closed, comes.closed) == (1, 1, 1)


async def test_a_source_that_cannot_be_closed_is_left(caplog: pytest.LogCaptureFixture) -> None:
    other = Scripted("other")
    hanging = Scripted("two", mood="hangs on close", timeout=0.01)
    await cycle_of(Scripted("one", mood="unclosable"), hanging, other).close()
    assert other.closed == 1
    assert "source one: closing failed: no" in caplog.text
    assert "source two does not close" in caplog.text


async def test_a_failure_and_its_end_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    source = Scripted("one", mood="fail")
    cycle = cycle_of(source)
    caplog.set_level("INFO", "rcmon.collector.cycle")
    for mood in ("fail", "fail", "", ""):
        source.mood = mood
        await cycle.run_once(1.0)
    assert [record.message for record in caplog.records] == [
        "source one fails: the database is not there",
        "source one works again",
    ]
