"""The shadow of every agent's updater: what it should write next, and whether it did. Pure.

A write is awaited where new input makes the updater change what is there. It is scored once the agent's
database says something else there: a hit where that was awaited, else a miss. What changes without new
input, such as by hand, is no hit and no miss.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct, structs

from rcmon.model import Agent, AgentExpected, AgentSite, Awaited, Forecast, Missed, Snapshot, Written
from rcmon.rules.thresholds import PERIOD, actual, wanted, writes

LATE = 2 * PERIOD
"""Seconds after which a round of the updater must have seen an input; a longer gap in what is known of an
agent makes nothing known of its rounds."""
KEPT = 10
"""Misses that are kept of each agent."""

_Waiting = dict[str, dict[str, Awaited]]


class _Scored(Struct):
    """What becomes of one agent's forecast."""

    awaited: _Waiting
    hits: int = 0
    missed: list[Missed] = []


def forecasts(previous: Snapshot | None, now: Snapshot) -> dict[str, Forecast]:
    """Score what was awaited, and tell what is awaited now; both snapshots hold their expectations.

    An agent that left keeps its counts as long as its source is there.
    """
    if previous is None:
        return {name: Forecast() for name in now.agents}
    names = {state.name for state in now.sources} | set(now.agents)
    kept = {
        name: structs.replace(forecast, awaited={})
        for name, forecast in previous.forecasts.items()
        if name in names
    }
    return kept | {name: _agent(name, previous, now) for name in now.agents}


def _agent(name: str, previous: Snapshot, now: Snapshot) -> Forecast:
    forecast = previous.forecasts.get(name, Forecast())
    before, agent = previous.agents.get(name), now.agents[name]
    if before is None or not 0 <= agent.polled_at - before.polled_at <= LATE:
        return structs.replace(forecast, awaited={})
    scored = _scored(forecast.awaited, (before, agent), now)
    expected, expected_before = now.expected.get(name), previous.expected.get(name)
    if expected is None or expected_before is None or before.updater != agent.updater:
        awaited: Mapping[str, Mapping[str, Awaited]] = {}
    else:
        awaited = dict(_awaited(agent, (expected_before, expected), scored.awaited, now.started))
    if scored.hits:
        scored.missed += _passed_over(awaited, agent, now.started)
        awaited = _without_late(awaited, now.started)
    return Forecast(
        forecast.hits + scored.hits,
        forecast.misses + len(scored.missed),
        awaited,
        (*scored.missed, *forecast.missed)[:KEPT],
    )


def _scored(
    awaited: Mapping[str, Mapping[str, Awaited]], agents: tuple[Agent, Agent], now: Snapshot
) -> _Scored:
    """Part what is still awaited from what came, or what came in its place."""
    scored = _Scored({})
    before, agent = agents
    for name, waits in awaited.items():
        site, site_before = agent.sites.get(name), before.sites.get(name)
        if site is None or site_before is None:
            continue
        for what, wait in waits.items():
            was, written = actual(site_before, what), actual(site, what)
            if was == written or _half_written(was, written, wait.value):
                scored.awaited.setdefault(name, {})[what] = wait
            elif written in (wait.value, wait.earlier):
                scored.hits += 1
            else:
                scored.missed.append(Missed(now.started, name, what, wait.value, written))
    return scored


def _half_written(was: Written, written: Written, value: Written) -> bool:
    """Tell whether the agent was read between two statements of one write."""
    return written != value and all(
        new in (old, to) for old, new, to in zip(was, written, value, strict=True)
    )


def _awaited(
    agent: Agent, expected: tuple[AgentExpected, AgentExpected], waiting: _Waiting, now: float
) -> Iterator[tuple[str, dict[str, Awaited]]]:
    """Go on with what is awaited, and add what new input makes the updater write."""
    before, after = expected
    for name, want in after.sites.items():
        want_before = before.sites.get(name)
        site_waits = waiting.get(name, {})
        if want_before is None or (want_before == want and not site_waits):
            continue
        site = agent.sites[name]
        found = {}
        for what, value in writes(site, want, stopped=after.stopped is not None):
            wait = site_waits.get(what)
            if wait is not None and wait.value != value:
                wait = Awaited(value, wait.since, wait.value)
            elif wait is None and _is_new(wanted(want_before, what), value, site, what):
                wait = Awaited(value, now)
            if wait is not None:
                found[what] = wait
        if found:
            yield name, found


def _is_new(value_before: Written, value: Written, site: AgentSite, what: str) -> bool:
    """Tell whether it is new input that makes the updater write; what it did not know before is none."""
    return None not in value_before and value_before != value and actual(site, what) != value


def _passed_over(awaited: Mapping[str, Mapping[str, Awaited]], agent: Agent, now: float) -> Iterator[Missed]:
    """Give the writes that should have been among those of a round long ago."""
    for name, waits in awaited.items():
        for what, wait in waits.items():
            if now - wait.since > LATE:
                yield Missed(now, name, what, wait.value, actual(agent.sites[name], what))


def _without_late(awaited: Mapping[str, Mapping[str, Awaited]], now: float) -> _Waiting:
    kept = {
        name: {what: wait for what, wait in waits.items() if now - wait.since <= LATE}
        for name, waits in awaited.items()
    }
    return {name: waits for name, waits in kept.items() if waits}
