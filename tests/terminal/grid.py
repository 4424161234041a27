"""A grid in which there is something of everything that commands show; it stays as it is."""

from msgspec import structs

from rcmon.model import Component, Finding, Snapshot, Worker
from tests.web.grid import NOW, SITES, make_snapshot


def make_grid(started: float = NOW - 12, seed: int = 7) -> Snapshot:
    """Make it: agents that are well, partly down, draining and old, and findings of every severity."""
    snapshot = make_snapshot(started, seed=seed)
    agents = dict(snapshot.agents)
    for name, problem, drain in (
        ("cmsgwms-submit4", None, False),
        ("vocms0281", "no heartbeat for 3 h", False),
        ("vocms0282", None, True),
    ):
        agents[name] = structs.replace(agents[name], components=_components(problem), drain=drain)
    findings = (
        *snapshot.findings,
        Finding(
            "worker_unhealthy", "vocms0281", "JobSubmitter of vocms0281 has had no heartbeat for 3 h", 1,
            severity="critical", since=started - 10_800, id="c3",
        ),
        Finding(
            "draining_long", None, f"{SITES[5]} has been draining for 9 d", 1, SITES[5],
            severity="info", since=started - 9 * 86_400, id="d4",
        ),
    )  # fmt: skip
    return structs.replace(snapshot, agents=agents, findings=findings)


def _components(problem: str | None) -> tuple[Component, ...]:
    names = (
        "AgentStatusWatcher",
        "ErrorHandler",
        "JobAccountant",
        "JobCreator",
        "JobSubmitter",
        "JobTracker",
    )
    return tuple(_component(name, problem if name == "JobSubmitter" else None) for name in names)


def _component(name: str, problem: str | None) -> Component:
    worker = Worker(f"{name}Poller", "Running", NOW - 60, 300, 1, problem=problem)
    return Component(name, 1, 7200, (worker,))
