"""Snapshots in which one thing is odd, for the tests of the kinds."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from rcmon.collector.findings import FOUND_HERE, KINDS, judge
from rcmon.collector.findings.turns import turns
from rcmon.model import Agent, AgentSite, Finding, Jobs, Snapshot, Task, Upstream
from tests.collector.test_merge import cycle, good

NOW = 1_767_300_000.0


def site(
    name: str = "T2_DE_X",
    state: str | None = "Normal",
    *,
    pending: int = 0,
    running: int = 0,
    slots: int | None = 100,
    threshold: int | None = 50,
    state_time: float | None = NOW - 600,
    **more: Any,
) -> AgentSite:
    jobs = Jobs(pending=pending, running=running)
    tasks = {"Production": Task(threshold, threshold, 1, jobs, None)}
    made = AgentSite(name, state, state_time, name, "SimpleCondorPlugin", slots, slots, ("X_Disk",), tasks)
    return structs.replace(made, **more)


def agent(sites: Sequence[AgentSite], name: str = "a", at: float = NOW, **more: Any) -> Agent:
    return structs.replace(Agent(name, at, {one.name: one for one in sites}), **more)


def grid(*agents: Agent, at: float = NOW, previous: Snapshot | None = None, **said: Any) -> Snapshot:
    snapshot = cycle([good(one.name, one, at=at) for one in agents], previous, at=at)
    snapshot = structs.replace(snapshot, given={"upstream": Upstream(**said)} if said else {})
    return structs.replace(snapshot, turns=turns(previous, snapshot))


def found(kind: str, snapshot: Snapshot, previous: Snapshot | None = None) -> list[Finding]:
    return [one for one in judge(snapshot, previous).found if one.kind == kind]


def about(kind: str, snapshot: Snapshot, previous: Snapshot | None = None) -> list[Mapping[str, Any]]:
    assert kind in KINDS
    assert kind in {one.name for one in FOUND_HERE}
    return [
        {name: getattr(one, name) for name in ("agent", "site", "count")}
        for one in found(kind, snapshot, previous)
    ]


def unjudged(snapshot: Snapshot) -> int:
    return len(judge(snapshot, None).unjudged)
