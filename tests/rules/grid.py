"""A small grid for the updater's rules: agents of one team, and what the site status board says."""

from collections.abc import Mapping

from msgspec import structs

from rcmon.model import (
    Agent,
    AgentReport,
    AgentSite,
    Component,
    Jobs,
    SiteExpected,
    SiteStatus,
    Snapshot,
    SourceState,
    Task,
    UpdaterSettings,
    Upstream,
)
from rcmon.rules.expecting import expectations
from rcmon.rules.forecast import forecasts

NOW = 1_767_268_800.0
SITE = "T2_CH_CERN"
TASKS = ("Processing", "Production", "Merge", "Cleanup", "Harvesting", "LogCollect", "Skim")


def status(said: str | None = "enabled", cpu: int | None = 4000, io: int | None = 2000) -> SiteStatus:
    return SiteStatus(said, None, None, None, cpu, io, None)


def report(time: float = NOW, team: str = "production", *, drain: bool | None = False) -> AgentReport:
    return AgentReport(time, team, None, "ok", drain)


def held(want: SiteExpected, name: str = SITE) -> AgentSite:
    """Make a site as the updater leaves it."""
    tasks = {}
    for task in TASKS:
        most, pending = want.task(task) or (None, None)
        tasks[task] = Task(most, pending, 1, Jobs(), None)
    return AgentSite(name, want.state, None, name, None, want.running_slots, want.pending_slots, tasks=tasks)


def snapshot(
    statuses: Mapping[str, SiteStatus] | None,
    reports: Mapping[str, AgentReport] | None,
    *,
    settings: UpdaterSettings | None = None,
    sites: Mapping[str, AgentSite] | None = None,
    now: float = NOW,
    stale: bool = False,
) -> Snapshot:
    """Make a snapshot of agent `a`, with what is expected of it."""
    names = list(sites or statuses or {SITE: None})
    agent = Agent(
        "a",
        now,
        sites or {name: AgentSite(name, "Normal", None, name, None, 50, 50) for name in names},
        components=(Component("JobSubmitter", 1, 7200.0),),
        updater=settings or UpdaterSettings(),
    )
    source = SourceState("board", "ssb", not stale, stale, now, 0.1, "gone" if stale else None)
    agents = SourceState("a", "wmagent", up=True, stale=False, last_success=now, duration=0.1, error=None)
    made = Snapshot(
        now,
        0.1,
        60.0,
        (source, structs.replace(agents, agents=("a",))),
        {"a": agent},
        given={"board": Upstream(sites=statuses, reports=reports)},
    )
    return structs.replace(made, expected=expectations(made))


def then(previous: Snapshot | None, now: Snapshot) -> Snapshot:
    """Go on from a snapshot."""
    return structs.replace(now, forecasts=forecasts(previous, now))
