"""Merging: what this cycle's polls gave, and what earlier ones left -> one consistent snapshot. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from rcmon.model import Agent, AgentSite, Jobs, Site, Snapshot, SourceState
from rcmon.sources.base import Poll

_TIER = re.compile(r"(T[0-3])_[A-Z]{2}_.")
"""The grid's site names are tier, country and name: T2_CH_CERN."""

Earlier: TypeAlias = tuple[SourceState | None, dict[str, Agent]]
"""A source's state in the previous snapshot, and the agents that were taken from it."""


def merge(
    polls: Sequence[Poll],
    previous: Snapshot | None,
    started: float,
    duration: float,
    *,
    interval: float,
    stale_after: float,
) -> Snapshot:
    """Conclude a cycle from its polls, in configured order; findings are left to `rcmon.collector.findings`.

    A source that failed keeps the agents of its last success, marked stale, until that is `stale_after`
    seconds ago; then they go. What is polled no longer vanishes at once. Of several sources that claim an
    agent the first configured has it. `started` is the cycle's begin, seconds since the epoch.
    """
    earlier = _earlier(previous)
    states, found = [], {}
    for poll in polls:
        last, agents = earlier.get((poll.source, poll.kind), (None, {}))
        if poll.batch is not None:
            agents = _by_name(poll.batch.agents)
        elif last is None or last.last_success is None or started - last.last_success > stale_after:
            agents = {}
        states.append(_state(poll, last, agents))
        found[poll.source] = agents
    agents = {name: found[source][name] for name, source in sorted(owners(states).items())}
    return Snapshot(
        started=started,
        duration=duration,
        interval=interval,
        sources=tuple(states),
        agents=agents,
        sites=merge_sites(agents),
    )


def owners(sources: Sequence[SourceState]) -> dict[str, str]:
    """Tell which source each agent is taken from: the first configured of those that claim it."""
    return {agent: state.name for state in reversed(sources) for agent in state.agents}


def merge_sites(agents: Mapping[str, Agent]) -> dict[str, Site]:
    """Put together what the agents say of each site, sorted by name."""
    views: dict[str, dict[str, AgentSite]] = {}
    for agent, seen in agents.items():
        for name, site in seen.sites.items():
            views.setdefault(name, {})[agent] = site
    return {name: _site(name, views[name]) for name in sorted(views)}


def tier(name: str) -> str | None:
    """Read the tier from a site's name: T0 to T3; None where the name is of another form."""
    match = _TIER.match(name)
    return match[1] if match else None


def known_sum(values: Iterable[int | None]) -> int | None:
    """Add up what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _earlier(previous: Snapshot | None) -> dict[tuple[str, str], Earlier]:
    """Find what the previous snapshot knows of each source, by name and kind."""
    if previous is None:
        return {}
    taken: dict[str, dict[str, Agent]] = {state.name: {} for state in previous.sources}
    for name, source in owners(previous.sources).items():
        taken[source][name] = previous.agents[name]
    return {(state.name, state.kind): (state, taken[state.name]) for state in previous.sources}


def _by_name(agents: Sequence[Agent]) -> dict[str, Agent]:
    """Index a batch's agents; of two that bear one name the first counts."""
    return {agent.name: agent for agent in reversed(agents)}


def _state(poll: Poll, last: SourceState | None, agents: Mapping[str, Agent]) -> SourceState:
    up = poll.batch is not None
    before = last.last_success if last else None
    failures = last.errors_total if last else 0
    return SourceState(
        name=poll.source,
        kind=poll.kind,
        up=up,
        stale=not up and bool(agents),
        last_success=poll.started if up else before,
        duration=poll.duration,
        error=None if up else poll.error or "failed without saying why",
        errors_total=failures if up else failures + 1,
        agents=tuple(sorted(agents)),
    )


def _site(name: str, views: Mapping[str, AgentSite]) -> Site:
    states: dict[str, list[str]] = {}
    for agent, view in views.items():
        if view.state is not None:
            states.setdefault(view.state, []).append(agent)
    return Site(
        name=name,
        tier=tier(name),
        state=next(iter(states)) if len(states) == 1 else None,
        states={state: tuple(states[state]) for state in sorted(states)},
        running_slots=known_sum(view.running_slots for view in views.values()),
        pending_slots=known_sum(view.pending_slots for view in views.values()),
        jobs=sum((view.jobs for view in views.values()), Jobs()),
        agents=views,
    )
