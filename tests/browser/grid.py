"""A grid in which there is something of everything that pages show."""

from msgspec import structs

from rcmon.collector.totals import grid_point
from rcmon.model import Component, Finding, GridPoint, Snapshot, Worker
from tests.web.grid import NOW, SITES, make_snapshot


def make_grid(started: float = NOW - 12, seed: int = 7, *, down: str = "ErrorHandler") -> Snapshot:
    """Make it: agents that are well, partly down, draining and old, and findings of every severity.

    `down`: the component of vocms0281 that does not work.
    """
    snapshot = make_snapshot(started, seed=seed)
    agents = dict(snapshot.agents)
    for name, problem, drain in (
        ("cmsgwms-submit4", None, False),
        ("vocms0281", "no heartbeat for 3 h", False),
        ("vocms0282", None, True),
    ):
        agents[name] = structs.replace(agents[name], components=_components(down, problem), drain=drain)
    findings = (
        *snapshot.findings,
        Finding(
            "worker_unhealthy", "vocms0281", f"{down} of vocms0281 has had no heartbeat for 3 h", 1,
            severity="critical", since=started - 10_800, id="c3",
        ),
        Finding(
            "draining_long", None, f"{SITES[5]} has been draining for 9 d", 1, SITES[5],
            severity="info", since=started - 9 * 86_400, id="d4",
        ),
    )  # fmt: skip
    return structs.replace(snapshot, agents=agents, findings=findings)


def make_day(snapshot: Snapshot) -> list[GridPoint]:
    """Make the day before a snapshot: what it holds, more at night."""
    end = grid_point(snapshot)
    return [
        structs.replace(
            end,
            time=end.time - 900 * ago,
            running_jobs=end.running_jobs - 300 * abs(48 - ago),
            pending_jobs=end.pending_jobs + 170 * (ago % 7),
            sites=end.sites | {"Normal": end.sites["Normal"] - (2 if 20 < ago < 30 else 0)},
        )
        for ago in range(95, -1, -1)
    ]


def _components(down: str, problem: str | None) -> tuple[Component, ...]:
    names = (
        "AgentStatusWatcher",
        "ErrorHandler",
        "JobAccountant",
        "JobCreator",
        "JobSubmitter",
        "JobTracker",
    )
    return tuple(_component(name, problem if name == down else None) for name in names)


def _component(name: str, problem: str | None) -> Component:
    worker = Worker(f"{name}Poller", "Running", NOW - 60, 300, 1, problem=problem)
    return Component(name, 1, 7200, (worker,))
