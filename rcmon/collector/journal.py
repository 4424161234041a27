"""What changed between two snapshots, as entries of the journal. Pure."""

from collections.abc import Iterator
from typing import Any

from rcmon.collector.merge import owners
from rcmon.model import Agent, AgentSite, Snapshot, SourceState, Task
from rcmon.model.journal import AGENT, SITE, SLOTS, SOURCE, STATE, THRESHOLD, JournalEntry, Subject


def entries(previous: Snapshot | None, snapshot: Snapshot) -> list[JournalEntry]:
    """List what changed; without a previous snapshot that is everything that is there."""
    return [*_sources(previous, snapshot), *_agents(previous, snapshot)]


def state(snapshot: Snapshot) -> dict[Subject, Any]:
    """Tell what holds: what `rcmon.model.journal.replay` makes of all entries up to this snapshot."""
    held: dict[Subject, Any] = {}
    for source in snapshot.sources:
        held[SOURCE.name, None, None, None, source.name] = _source(source)
    for agent in snapshot.agents.values():
        held[AGENT.name, agent.name, None, None, None] = _agent(agent)
        for name, site in agent.sites.items():
            held[SITE.name, agent.name, name, None, None] = _site(site)
    return held


def _sources(previous: Snapshot | None, snapshot: Snapshot) -> Iterator[JournalEntry]:
    before = {source.name: source for source in previous.sources} if previous else {}
    for source in snapshot.sources:
        earlier = before.pop(source.name, None)
        old, new = (None if earlier is None else _source(earlier)), _source(source)
        if old != new:
            cause = source.error if not source.up else "its poll succeeded"
            yield JournalEntry(snapshot.started, SOURCE.name, old, new, subject=source.name, cause=cause)
    for source in before.values():
        yield JournalEntry(
            snapshot.started,
            SOURCE.name,
            _source(source),
            None,
            subject=source.name,
            cause="it is not configured any more",
        )


def _agents(previous: Snapshot | None, snapshot: Snapshot) -> Iterator[JournalEntry]:
    before = dict(previous.agents) if previous else {}
    taken = owners(snapshot.sources)
    for name, agent in snapshot.agents.items():
        earlier = before.pop(name, None)
        if earlier is not agent:  # else a stale agent: the very same
            yield from _changed(earlier, agent, snapshot.started, f"polled from source {taken.get(name)}")
    for agent in before.values():
        yield from _gone(agent, snapshot.started)


def _changed(earlier: Agent | None, agent: Agent, time: float, cause: str) -> Iterator[JournalEntry]:
    old, new = (None if earlier is None else _agent(earlier)), _agent(agent)
    if old != new:
        yield JournalEntry(time, AGENT.name, old, new, agent.name, cause=cause)
    sites = dict(earlier.sites) if earlier else {}
    for name, site in agent.sites.items():
        known = sites.pop(name, None)
        if known is None:
            yield JournalEntry(time, SITE.name, None, _site(site), agent.name, name, cause=cause)
        else:
            for kind, was, now, task in _differences(known, site):
                yield JournalEntry(time, kind, was, now, agent.name, name, task, cause=cause)
    for name, site in sites.items():
        yield JournalEntry(time, SITE.name, _site(site), None, agent.name, name, cause=cause)


def _gone(agent: Agent, time: float) -> Iterator[JournalEntry]:
    cause = "no source gives the agent any more"
    for name, site in agent.sites.items():
        yield JournalEntry(time, SITE.name, _site(site), None, agent.name, name, cause=cause)
    yield JournalEntry(time, AGENT.name, _agent(agent), None, agent.name, cause=cause)


def _differences(
    earlier: AgentSite, site: AgentSite
) -> Iterator[tuple[str, dict[str, Any] | None, dict[str, Any] | None, str | None]]:
    """Tell in what a site differs: kind, old, new, task type."""
    if earlier.state != site.state:
        yield STATE.name, {"state": earlier.state}, {"state": site.state}, None
    if (earlier.running_slots, earlier.pending_slots) != (site.running_slots, site.pending_slots):
        yield SLOTS.name, _slots(earlier), _slots(site), None
    tasks = earlier.tasks
    for name, task in site.tasks.items():
        known = tasks.get(name)
        if known is None or (known.max_slots, known.pending_slots) != (task.max_slots, task.pending_slots):
            was, now = _threshold(known), _threshold(task)
            if was != now:
                yield THRESHOLD.name, was, now, name
    for name in tasks.keys() - site.tasks.keys():
        if (was := _threshold(tasks[name])) is not None:
            yield THRESHOLD.name, was, None, name


def _source(source: SourceState) -> dict[str, Any]:
    return {"up": source.up, "stale": source.stale}


def _agent(agent: Agent) -> dict[str, Any]:
    down = None
    if agent.components is not None:
        down = [
            component.name
            for component in agent.components
            if any(worker.problem is not None for worker in component.workers)
        ]
    return {"version": agent.version, "drain": agent.drain, "down_components": down}


def _site(site: AgentSite) -> dict[str, Any]:
    thresholds = {
        name: threshold for name, task in site.tasks.items() if (threshold := _threshold(task)) is not None
    }
    return {"state": site.state, **_slots(site), "thresholds": thresholds}


def _slots(site: AgentSite) -> dict[str, Any]:
    return {"running_slots": site.running_slots, "pending_slots": site.pending_slots}


def _threshold(task: Task | None) -> dict[str, Any] | None:
    """Give a threshold; None where there is none: a task type may have jobs here and no threshold."""
    if task is None or (task.max_slots is None and task.pending_slots is None):
        return None
    return {"max_slots": task.max_slots, "pending_slots": task.pending_slots}
