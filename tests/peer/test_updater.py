"""What is expected of an agent's updater is what WMCore's own, unmodified one writes."""

import json
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct, structs, to_builtins

from rcmon.model import (
    CPU_TASKS,
    IO_TASKS,
    Agent,
    AgentReport,
    AgentSite,
    Jobs,
    SiteStatus,
    Snapshot,
    SourceState,
    Task,
    UpdaterSettings,
    Upstream,
)
from rcmon.rules.expecting import expectations
from rcmon.rules.forecast import forecasts
from rcmon.rules.thresholds import writes
from tests.peer.asking import ask
from tests.peer.monit import Rows, board

NOW = 1_767_268_800.0
RECORDED = Path(__file__).parents[1] / "data" / "upstream" / "thresholds-tier0.json"
TASKS = (*CPU_TASKS, *IO_TASKS, "Express", "Repack")
ROUNDS = 400


class Round(Struct, frozen=True):
    """One agent, and all that its updater is told."""

    agent: Agent
    statuses: dict[str, SiteStatus]
    reports: dict[str, AgentReport]

    def expected(self) -> set[tuple[object, ...]]:
        """Say what our rules let it write."""
        source = SourceState("all", "test", True, False, NOW, 0.1, None, agents=(self.agent.name,))
        given = {"all": Upstream(sites=self.statuses, reports=self.reports)}
        agents = {self.agent.name: self.agent}
        snapshot = Snapshot(NOW, 0.1, 60.0, (source,), agents, given=given)
        about = expectations(snapshot)[self.agent.name]
        assert about.missing is None
        return {
            (name, what, *value)
            for name, want in about.sites.items()
            for what, value in writes(self.agent.sites[name], want, stopped=about.stopped is not None)
        }

    def rows(self) -> Rows:
        """Write what the site status board says."""
        slots = ("core_cpu_intensive", "core_io_intensive")
        return {
            "sts15min": [{"name": name, "prod_status": one.status} for name, one in self.statuses.items()],
            "scap15min": [
                dict(zip(("name", *slots), (name, one.cpu, one.io), strict=True))
                for name, one in self.statuses.items()
            ],
        }

    def asked(self, number: int) -> dict[str, Any]:
        """Write it as the peer is asked."""
        report = self.reports[self.agent.name]
        return {
            "ssb": str(number),
            "settings": to_builtins(self.agent.updater),
            "tier0": self.agent.updater.tier0,
            "drain": report.drain,
            "reports": [
                {"agent_url": name, "agent_team": one.team, "drain_mode": one.drain}
                for name, one in self.reports.items()
            ],
            "sites": {name: as_database(site) for name, site in self.agent.sites.items()},
        }


def as_database(site: AgentSite) -> dict[str, Any]:
    rows = {name: [task.max_slots, task.pending_slots] for name, task in site.tasks.items()}
    return {
        "state": site.state,
        "running_slots": site.running_slots,
        "pending_slots": site.pending_slots,
        "tasks": rows,
    }


def peers_writes(rounds: list[Round]) -> list[set[tuple[object, ...]]]:
    """Let the unmodified updater do the rounds, one after the other in one process."""
    with board({str(number): one.rows() for number, one in enumerate(rounds)}) as url:
        answers = ask("updater", {"url": url, "rounds": [one.asked(n) for n, one in enumerate(rounds)]})
    return [
        {found for write in written if (found := as_ours(write, one.agent))}
        for one, written in zip(rounds, answers, strict=True)
    ]


def as_ours(write: list[Any], agent: Agent) -> tuple[object, ...] | None:
    """Write one of its writes as ours are; None for a write of Express or Repack that changes nothing."""
    kind, site, *values = write
    if kind != "tasks":
        return site, kind, *values
    types, most, pending = values
    groups = {CPU_TASKS: "cpu", IO_TASKS: "io"}
    if tuple(types) in groups:
        return site, groups[tuple(types)], *(most, pending) * len(types)
    (name,) = types
    held = agent.sites[site].tasks.get(name)
    same = held is not None and (held.max_slots, held.pending_slots) == (most, pending)
    return None if same else (site, name, most, pending)


def task(most: int, pending: int) -> Task:
    return Task(most, pending, 1, Jobs(), None)


def recorded() -> tuple[Round, dict[str, Any]]:
    """Read what was recorded of a tier-0 agent's updater: before, its input, and what came of it."""
    document = json.loads(RECORDED.read_bytes())
    given, expected = document["input"], document["expected"]
    after, changes = expected["after"], expected["result"]["changes"]
    before = after | {name: change["before"] for name, change in changes.items()}
    sites = {
        name: AgentSite(
            name,
            site["state"],
            None,
            site["cms_name"],
            None,
            site["running_slots"],
            site["pending_slots"],
            tasks={kind: task(*rows[0]) for kind, rows in site["tasks"].items()},
        )
        for name, site in before.items()
    }
    cores = given["ssb_slots"]
    statuses = {
        name: SiteStatus(
            given["ssb_status"].get(name),
            None,
            None,
            None,
            cores.get(name, {}).get("core_cpu_intensive"),
            cores.get(name, {}).get("core_io_intensive"),
            None,
        )
        for name in given["ssb_status"] | cores
    }
    reports = {
        one["agent_url"]: AgentReport(
            one["timestamp"], one["agent_team"], one["agent_version"], one["status"], one["drain_mode"]
        )
        for one in given["agents"]
    }
    settings = UpdaterSettings(team="production", tier0=True)
    name = next(name for name, one in reports.items() if one.team == "production" and not one.drain)
    return Round(Agent(name, NOW, sites, updater=settings), statuses, reports), after


def applied(found: set[tuple[object, ...]], before: dict[str, AgentSite]) -> dict[str, Any]:
    """Make the database that the writes leave."""
    made = {name: as_database(site) for name, site in before.items()}
    for site, what, *values in found:
        held = made[str(site)]
        if what == "state":
            (held["state"],) = values
        elif what == "slots":
            held["pending_slots"], held["running_slots"] = values
        else:
            names = {"cpu": CPU_TASKS, "io": IO_TASKS}.get(str(what), (str(what),))
            for index, name in enumerate(names):
                held["tasks"][name] = list(values[2 * index : 2 * index + 2])
    return made


def test_a_recorded_round_of_a_tier0_agent() -> None:
    one, after = recorded()
    found = one.expected()
    assert len(found) > 50
    made = applied(found, dict(one.agent.sites))
    differing = {
        name: made[name]
        for name, site in after.items()
        if made[name]
        != {
            "state": site["state"],
            "running_slots": site["running_slots"],
            "pending_slots": site["pending_slots"],
            "tasks": {kind: rows[0] for kind, rows in site["tasks"].items()},
        }
    }
    assert differing == {}


def test_the_recorded_round_by_the_unmodified_updater() -> None:
    one, _ = recorded()
    assert peers_writes([one]) == [one.expected()]


def generated(rng: Random) -> Round:
    """Make an agent in the middle of anything, and a site status board that may be broken."""
    names = [f"T{rng.randrange(4)}_XX_S{number}" for number in range(rng.randint(1, 12))]
    tier0 = rng.random() < 0.4
    settings = UpdaterSettings(
        team="one",
        tier0=tier0,
        only_ssb=rng.random() < 0.4,
        force_site_down=tuple(name for name in names if rng.random() < 0.1),
        pending_slots_site_percent=rng.choice((50, 50, 75)),
        pending_slots_task_percent=rng.choice((45, 45, 30)),
        t1_sites_cores=rng.choice((30, 30, 77)),
    )
    reports = {
        f"agent{number}": AgentReport(NOW, rng.choice(("one", "one", "two")), None, "ok", rng.random() < 0.3)
        for number in range(1, rng.randint(1, 12))
    }
    reports["agent0"] = AgentReport(NOW, "one", None, "ok", drain=rng.random() < 0.2)
    broken = rng.random() < 0.3
    statuses = {name: status(rng, broken=broken) for name in names if rng.random() < 0.9}
    agent = Agent("agent0", NOW, {name: site(rng, name) for name in names}, updater=settings)
    one = Round(agent, statuses, reports)
    return settled(one) if rng.random() < 0.5 else one


def settled(one: Round) -> Round:
    """Let the round happen, and then the input change a little: what is there is nearly right."""
    made = applied(one.expected(), dict(one.agent.sites))
    sites = {
        name: AgentSite(
            name,
            held["state"],
            None,
            name,
            None,
            held["running_slots"],
            held["pending_slots"],
            tasks={kind: task(*row) for kind, row in held["tasks"].items()},
        )
        for name, held in made.items()
    }
    statuses = {
        name: structs.replace(old, cpu=None if old.cpu is None else old.cpu + len(name) % 3)
        for name, old in one.statuses.items()
    }
    return Round(structs.replace(one.agent, sites=sites), statuses, one.reports)


def status(rng: Random, *, broken: bool) -> SiteStatus:
    said = rng.choice(("enabled", "enabled", "drain", "disabled", "test", "unknown", "odd", None))
    cpu = rng.choice((0, 1, 49, 50, 51, 99, 500, rng.randrange(40_000), rng.randrange(40_000)))
    both: tuple[int | None, int | None] = (cpu, rng.choice((0, 24, 26, cpu // 2)))
    if rng.random() < 0.1:
        both = rng.choice(((None, None), (cpu, None)))
    elif broken and rng.random() < 0.2:
        both = (None, both[1])
    return SiteStatus(said, None, None, None, both[0], both[1], None)


def site(rng: Random, name: str) -> AgentSite:
    slots = (None, 0, 50, 50, 75, 500, rng.randrange(40_000))
    rows = (0, 15, 25, 50, 45, 450, rng.randrange(40_000))
    tasks = {kind: task(rng.choice(rows), rng.choice(rows)) for kind in TASKS if rng.random() < 0.8}
    state = rng.choice(("Normal", "Normal", "Draining", "Down", "Aborted"))
    return AgentSite(name, state, None, name, None, rng.choice(slots), rng.choice(slots), tasks=tasks)


def test_generated_rounds_by_the_unmodified_updater() -> None:
    rng = Random(9)
    rounds = [generated(rng) for _ in range(ROUNDS)]
    ours, peers = [one.expected() for one in rounds], peers_writes(rounds)
    differing = [number for number in range(ROUNDS) if ours[number] != peers[number]]
    assert differing == []
    assert sum(map(len, ours)) > 10 * ROUNDS
    assert sum(not found for found in ours) < ROUNDS / 4


def as_snapshot(one: Round, now: float, previous: Snapshot | None = None) -> Snapshot:
    """Make a snapshot of a round, that goes on from another."""
    agent = structs.replace(one.agent, polled_at=now)
    source = SourceState("all", "test", True, False, now, 0.1, None, agents=(agent.name,))
    given = {"all": Upstream(sites=one.statuses, reports=one.reports)}
    made = Snapshot(now, 0.1, 60.0, (source,), {agent.name: agent}, given=given)
    made = structs.replace(made, expected=expectations(made))
    return structs.replace(made, forecasts=forecasts(previous, made))


def after(one: Round, found: set[tuple[object, ...]]) -> Round:
    """Let an agent have what was written."""
    made = applied(found, dict(one.agent.sites))
    sites = {
        name: structs.replace(
            one.agent.sites[name],
            state=held["state"],
            running_slots=held["running_slots"],
            pending_slots=held["pending_slots"],
            tasks={kind: task(*row) for kind, row in held["tasks"].items()},
        )
        for name, held in made.items()
    }
    return structs.replace(one, agent=structs.replace(one.agent, sites=sites))


def renewed(rng: Random, one: Round) -> Round:
    """Let the site status board say something else."""
    statuses = {
        name: structs.replace(
            old,
            status=rng.choice((old.status, "drain")),
            cpu=None if old.cpu is None else rng.choice((old.cpu, old.cpu + 1000)),
        )
        for name, old in one.statuses.items()
    }
    return structs.replace(one, statuses=statuses)


def test_the_unmodified_updater_does_what_is_forecast() -> None:
    """Each agent has had a round; then the input changes, and its next round is forecast and scored."""
    rng = Random(10)
    first = [generated(rng) for _ in range(ROUNDS // 4)]
    calm = [after(one, written) for one, written in zip(first, peers_writes(first), strict=True)]
    new = [renewed(rng, one) for one in calm]
    rounds = peers_writes(new)
    hits = 0
    for one, changed, written in zip(calm, new, rounds, strict=True):
        before = as_snapshot(changed, NOW + 60, as_snapshot(one, NOW))
        name = one.agent.name
        awaited = sum(map(len, before.forecasts[name].awaited.values()))
        found = as_snapshot(after(changed, written), NOW + 120, before).forecasts[name]
        assert (found.hits, found.misses, found.awaited) == (awaited, 0, {})
        hits += found.hits
    assert hits > ROUNDS // 2
