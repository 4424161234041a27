"""WMCore's ResourceControlUpdater: what an agent's states and thresholds should be, and what it writes. Pure.

Source: WMComponent/AgentStatusWatcher/ResourceControlUpdater.py of WMAgent 2.4.5.9, which runs every 900 s;
`tests/peer/test_updater.py` holds this against it. The arithmetic is WMCore's, rounding included.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct, structs

from rcmon.model import (
    CPU_TASKS,
    IO_TASKS,
    AgentSite,
    SiteExpected,
    SiteStatus,
    Task,
    UpdaterSettings,
    Written,
)

PERIOD = 900.0
"""Seconds between two rounds of the updater."""
STATES: Mapping[str, str] = {"enabled": "Normal", "drain": "Draining", "disabled": "Down", "test": "Draining"}
"""What a status of the site status board makes of a site; any other leaves it alone."""
LEAST_CPU, LEAST_IO = 50, 25
"""Slots that even the smallest site has."""


class Capacities(Struct, frozen=True):
    """Cores of the sites as the updater takes them: (for computing, for reading and writing)."""

    sites: Mapping[str, tuple[int, int]]
    stopped: str | None
    """A site that ends the updater's round before it changes any slots; None: there is none."""


def state_of(status: str | None, *, tier0: bool) -> str | None:
    """Translate a status; None: the updater leaves the state alone."""
    if tier0 and status == "test":
        return "Normal"
    return STATES.get(status or "")


def capacities(sites: Mapping[str, SiteStatus]) -> Capacities:
    """Take the sites of which both numbers are known.

    One with the second number alone raises KeyError in `thresholdsByVOName`, which ends the round.
    """
    both = {
        name: (site.cpu, site.io)
        for name, site in sites.items()
        if site.cpu is not None and site.io is not None
    }
    halves = (name for name, site in sites.items() if site.cpu is None and site.io is not None)
    return Capacities(both, next(halves, None))


def site_slots(
    site: str, cores: tuple[int, int], agents: int | None, settings: UpdaterSettings, *, tier0: bool
) -> SiteExpected:
    """Share a site's cores; `agents` is N, None where that is not known: then the pending slots are not.

    A tier-0 agent takes a part of a T1 site's cores, however small; any other site has the least at least.
    """
    cpu, io = cores
    least_cpu, least_io = LEAST_CPU, LEAST_IO
    if tier0 and site.startswith("T1_"):
        cpu, io = int(cpu * settings.t1_sites_cores / 100), int(io * settings.t1_sites_cores / 100)
        shared = cpu
    else:
        shared = cpu
        cpu, io = max(cpu, least_cpu), max(io, least_io)
    expected = SiteExpected(running_slots=cpu, io_slots=io, share_running=shared)
    if agents is not None:
        percent = settings.pending_slots_site_percent
        task_percent = settings.pending_slots_task_percent
        expected = structs.replace(
            expected,
            pending_slots=max(int(cpu / agents * percent / 100), least_cpu),
            share_pending=int(shared / agents * percent / 100),
            cpu_pending=max(int(cpu / agents * task_percent / 100), least_cpu),
            io_pending=max(int(io / agents * task_percent / 100), least_io),
        )
    return _with_tier0(expected, cpu, settings) if tier0 else expected


def _with_tier0(expected: SiteExpected, cpu: int, settings: UpdaterSettings) -> SiteExpected:
    express = int(cpu * settings.running_express_percent / 100)
    repack = int(cpu * settings.running_repack_percent / 100)
    return structs.replace(
        expected,
        express=express,
        express_pending=int(express * settings.pending_slots_task_percent / 100),
        repack=repack,
        repack_pending=int(repack * settings.pending_slots_task_percent / 100),
    )


def with_state(
    expected: SiteExpected, site: str, natural: str | None, settings: UpdaterSettings
) -> SiteExpected:
    """Add the state: forced Down, or what the status says; unknown sites go Down where only known ones count.

    The order is that of `checkStatusChanges`.
    """
    forced = site in settings.force_site_down or (settings.only_ssb and natural is None)
    return structs.replace(expected, state="Down" if forced else natural, natural=natural)


def actual(site: AgentSite, what: str) -> Written:
    """Give what the agent has where the updater writes `what`."""
    if what == "state":
        return (site.state,)
    if what == "slots":
        return site.pending_slots, site.running_slots
    return tuple(value for name in _types(what) for value in _thresholds(site.tasks.get(name)))


def wanted(expected: SiteExpected, what: str) -> Written:
    """Give what the updater would write, in the order of `actual`; None in it: it is not known."""
    if what == "state":
        return (expected.state,)
    if what == "slots":
        return expected.pending_slots, expected.running_slots
    return tuple(value for name in _types(what) for value in expected.task(name) or (None, None))


def writes(site: AgentSite, expected: SiteExpected, *, stopped: bool) -> Iterator[tuple[str, Written]]:
    """Tell what the updater writes in its next round, given what is there; `stopped`: it changes no slots.

    Task rows are written only where the pending slots of one differ: so a max stays stale. A tier-0 agent
    writes Express and Repack in each round; they are told here where that changes something.
    """
    if None not in (expected.state, site.state) and site.state != expected.state:
        yield "state", wanted(expected, "state")
    if stopped or expected.running_slots is None or expected.pending_slots is None:
        return
    slots = wanted(expected, "slots")
    if actual(site, "slots") != slots:
        yield "slots", slots
    if pending_differs(site, CPU_TASKS, expected.cpu_pending):
        yield "cpu", wanted(expected, "cpu")
    if pending_differs(site, IO_TASKS, expected.io_pending):
        yield "io", wanted(expected, "io")
    if expected.express is not None:
        for name in ("Express", "Repack"):
            if actual(site, name) != wanted(expected, name):
                yield name, wanted(expected, name)


def pending_differs(site: AgentSite, names: tuple[str, ...], pending: int | None) -> bool:
    """Tell whether a row that is there makes the updater write all rows of its group."""
    tasks = site.tasks
    return any(has_row(task) and task.pending_slots != pending for name in names if (task := tasks.get(name)))


def has_row(task: Task) -> bool:
    """Tell whether the agent has a threshold for the task type here."""
    return task.max_slots is not None or task.pending_slots is not None


def _types(what: str) -> tuple[str, ...]:
    return {"cpu": CPU_TASKS, "io": IO_TASKS}.get(what, (what,))


def _thresholds(task: Task | None) -> tuple[int | None, int | None]:
    return (None, None) if task is None else (task.max_slots, task.pending_slots)
