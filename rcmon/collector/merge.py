"""Merging: what this cycle's polls gave, and what earlier ones left -> one consistent snapshot. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import structs

from rcmon.collector.polling import Heard
from rcmon.collector.reported import as_polled, filled, named
from rcmon.errors import SourceError
from rcmon.model import (
    JOB_CLASSES,
    PUSHED,
    Agent,
    AgentSite,
    Jobs,
    Site,
    Snapshot,
    SourceState,
    Upstream,
    known_sum,
    tier,
    together,
)
from rcmon.sources.base import Poll

LARGEST = 2**50
"""More than any count of jobs or slots can be; some thousands of such sums still fit what stores them."""

Earlier: TypeAlias = tuple[SourceState, dict[str, Agent], Upstream | None]
"""A source's state in the previous snapshot, the agents that were taken from it, and what else it gave."""


def merge(
    heard: Sequence[Heard],
    previous: Snapshot | None,
    started: float,
    duration: float,
    *,
    interval: float,
    stale_after: float,
    pushed: Upstream | None = None,
) -> Snapshot:
    """Conclude a cycle from what it heard, in configured order; findings are `rcmon.collector.findings`.

    A source that fails, or whose poll still runs, keeps the agents of its last success, marked stale, until
    that is `stale_after` seconds ago; then they go. What is polled no longer vanishes at once. Of several
    sources that claim an agent the first configured has it. `started` is the cycle's begin, seconds since
    the epoch. `pushed` is what agents pushed. Raises SourceError where a sum over agents is more than can be.
    """
    earlier = _earlier(previous)
    states, found = [], {}
    given: dict[str, Upstream] = {} if pushed is None else {PUSHED: pushed}
    for one in heard:
        known = earlier.get((one.source, one.kind)) or (_unheard(one), {}, None)
        state, agents, upstream = _follow(one, known, started - stale_after)
        states.append(state)
        found[one.source] = agents
        if upstream is not None:
            given[one.source] = upstream
    agents = {name: found[source][name] for name, source in sorted(owners(states).items())}
    given = {one: upstream if one == PUSHED else named(upstream, agents) for one, upstream in given.items()}
    reports = together(given.values()).reports or {}
    agents = {name: filled(agent, reports.get(name), started) for name, agent in agents.items()}
    return Snapshot(
        started=started,
        duration=duration,
        interval=interval,
        sources=tuple(states),
        agents=agents,
        sites=merge_sites(agents),
        given=given,
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


def _possible(site: str, what: str, count: int | None) -> int | None:
    """Give a count as it is; raises SourceError for one that cannot be."""
    if count is not None and abs(count) > LARGEST:
        raise SourceError(f"site {site}: {count} {what} are more than can be")
    return count


def _earlier(previous: Snapshot | None) -> dict[tuple[str, str], Earlier]:
    """Find what the previous snapshot knows of each source, by name and kind."""
    if previous is None:
        return {}
    taken: dict[str, dict[str, Agent]] = {state.name: {} for state in previous.sources}
    for name, source in owners(previous.sources).items():
        taken[source][name] = as_polled(previous.agents[name])
    return {
        (state.name, state.kind): (state, taken[state.name], previous.given.get(state.name))
        for state in previous.sources
    }


def _by_name(agents: Sequence[Agent]) -> dict[str, Agent]:
    """Index a batch's agents; of two that bear one name the first counts."""
    return {agent.name: agent for agent in reversed(agents)}


def _unheard(one: Heard) -> SourceState:
    """Make the state of a source of which nothing has been heard yet."""
    return SourceState(
        name=one.source,
        kind=one.kind,
        up=False,
        stale=False,
        last_success=None,
        duration=None,
        error="its first poll has not ended yet",
    )


def _follow(one: Heard, known: Earlier, oldest: float) -> Earlier:
    """Take a source's state and data on by what was heard of it; data from before `oldest` go."""
    state, agents, upstream = known
    fresh = False
    for poll in one.polls:
        if poll.batch is None:
            state = _failed(state, poll)
        else:
            agents, upstream, fresh = _by_name(poll.batch.agents), poll.batch.upstream, True
            state = structs.replace(
                state, up=True, last_success=poll.started, duration=poll.duration, error=None
            )
    holds = bool(agents) or upstream is not None
    if one.dropped is not None:
        state, agents, upstream = structs.replace(state, up=False, error=one.dropped), {}, None
    elif not fresh and holds and (state.last_success is None or state.last_success < oldest):
        agents, upstream = {}, None
        if state.up:
            state = structs.replace(state, up=False, error="its poll takes longer than its data are kept")
    state = structs.replace(
        state,
        stale=(bool(agents) or upstream is not None) and not (fresh and state.up),
        agents=tuple(sorted(agents)),
        polling_since=one.polling_since,
    )
    return state, agents, upstream


def _failed(state: SourceState, poll: Poll) -> SourceState:
    return structs.replace(
        state,
        up=False,
        duration=poll.duration,
        error=poll.error or "failed without saying why",
        errors_total=state.errors_total + 1,
    )


def _site(name: str, views: Mapping[str, AgentSite]) -> Site:
    states: dict[str, list[str]] = {}
    for agent, view in views.items():
        if view.state is not None:
            states.setdefault(view.state, []).append(agent)
    jobs = sum((view.jobs for view in views.values()), Jobs())
    for kind in JOB_CLASSES:
        _possible(name, f"{kind} jobs", getattr(jobs, kind))
    slots = known_sum(view.running_slots for view in views.values())
    pending_slots = known_sum(view.pending_slots for view in views.values())
    return Site(
        name=name,
        tier=tier(name),
        state=next(iter(states)) if len(states) == 1 else None,
        states={state: tuple(states[state]) for state in sorted(states)},
        running_slots=_possible(name, "running slots", slots),
        pending_slots=_possible(name, "pending slots", pending_slots),
        jobs=jobs,
        agents=views,
    )
