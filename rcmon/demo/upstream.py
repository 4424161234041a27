"""What the demo's upstreams say: the site status board, the catalogue of sites, WMStats, job ads. Pure.

Each is shaped as the real one answers. The figures follow the simulated grid, so that what rcmon expects
and what the agents' databases hold differ only where the demo wants it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from rcmon.demo.agents import AGENTS, DemoAgent
from rcmon.demo.grid import dice
from rcmon.demo.jobs import Job
from rcmon.demo.lifecycle import PENDING, PHASES, RUNNING
from rcmon.demo.odd import upstream as odd
from rcmon.demo.sites import SITES, GridSite
from rcmon.demo.world import World

TEAM = "production"
PRIORITIES = (63000, 85000, 110000, 200000)
QUEUED_AT = 20
"""Sites that an agent's own queue holds work for."""

_STATUS = {"Normal": "enabled", "Draining": "drain", "Down": "disabled", "Aborted": "disabled"}
_AD_STATUS = dict.fromkeys(PENDING, 1) | dict.fromkeys(RUNNING, 2) | {"Held": 5, "Suspended": 7}

HELD_BY_HAND = "T2_PK_NCP"
"""The site that a person keeps enabled in the board, whatever its tests say."""
NEW_STORAGE = "T2_LV_HPCNET"
"""The site that the catalogue gives a storage which no agent has."""
_HAND = {
    "status": "enabled",
    "mode": "latched",
    "who": "/DC=org/DC=rcmon/OU=Demo/CN=operator",
    "why": "tests fail for want of a token, production does not need it",
}


class Known(Struct, frozen=True):
    """The grid as it truly is, whether or not an agent noticed."""

    state: str
    since: int
    """Seconds since the epoch."""


def board(now: int, away: Mapping[str, Known], begun: int) -> dict[str, bytes]:
    """Write the site status board's two metrics as MonIT answers for them, by metric.

    `away`: the sites that are not Normal; `begun`: since when all others are.
    """
    normal = Known("Normal", begun)
    statuses, slots = [], []
    for site in SITES:
        known = away.get(site.name, normal)
        statuses.append(_hit(_status(site, known), known.since))
        data = {
            "name": site.name,
            "core_cpu_intensive": site.cpu,
            "core_io_intensive": site.io,
            "core_production": site.cpu * 4 // 5,
            "who": "demo",
            "when": _iso(begun),
        }
        slots.append(_hit(data, now - now % 900))
    statuses += [_hit(data, since) for data, since in odd.statuses(now)]
    slots += [_hit(data, since) for data, since in odd.capacities(now, begun)]
    return _board(statuses, slots)


def second_board(now: int) -> dict[str, bytes]:
    """Write what the board of disused sites answers, by metric: large, and the same all day."""
    states, cores = odd.disused(now)
    return _board([_hit(data, since) for data, since in states], [_hit(data, since) for data, since in cores])


def second_names(now: int, begun: int) -> dict[str, bytes]:
    """Write what the catalogue answers that does so only now and then; nothing where it does not."""
    if not odd.is_open(now, begun):
        return {}
    return _catalogue(*odd.elsewhere())


def names() -> dict[str, bytes]:
    """Write the catalogue's two answers (CRIC), by preset: names of sites and what they read from."""
    site_rows = [["psn", site.name, site.name] for site in SITES]
    site_rows += [["cms", site.name, site.name] for site in SITES]
    reads = [[pnn, site.name, site.name] for site in SITES for pnn in site.pnns]
    reads.append([f"{NEW_STORAGE}_Tape", NEW_STORAGE, NEW_STORAGE])
    site_rows += odd.site_names()
    reads += odd.storage()
    return _catalogue(site_rows, reads)


def reports(now: int, worlds: Mapping[str, World]) -> bytes:
    """Write WMStats' view of the agents' own reports."""
    rows = [_report(agent, now) for agent in AGENTS if agent.name in worlds]
    rows += odd.reports(now)
    view = {"total_rows": len(rows), "offset": 0, "rows": rows}
    return json.dumps(view).encode()


def ads(jobs: Iterable[Job]) -> bytes:
    """Write the job ads of one agent's jobs that the batch system has, as `condor_q -json` does."""
    return json.dumps([*_ads(jobs)]).encode()


def _ads(jobs: Iterable[Job]) -> Iterator[dict[str, Any]]:
    for job in jobs:
        status = _AD_STATUS.get(job.phase)
        if status is None or PHASES[job.phase].status is None:
            continue
        ad = {
            "WMAgent_AgentName": "WMAgent",
            "WMAgent_RequestName": job.input.name,
            "CMS_JobType": job.input.task,
            "JobStatus": status,
            "DESIRED_Sites": ",".join(sorted(room.name for room in job.input.rooms)),
            "QDate": job.since,
        }
        if job.phase in RUNNING and job.room is not None:
            ad["MachineAttrGLIDEIN_CMSSite0"] = job.room.name
        yield ad


def _status(site: GridSite, known: Known) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": site.name,
        "prod_status": _STATUS[known.state],
        "crab_status": "enabled",
        "life_status": "enabled",
        "detail": "",
    }
    if known.state != "Normal":
        data["detail"] = f"Life: Site Readiness error,\nProd: {known.state} since {_iso(known.since)}"
    if site.name == HELD_BY_HAND:
        data["prod_status"] = "enabled"
        data["manual_prod"] = _HAND | {"name": site.name, "when": _iso(known.since)}
        data["detail"] = f"Prod: manual override by demo ({_HAND['why']})"
    return data


def _report(agent: DemoAgent, now: int) -> dict[str, Any]:
    rng = dice("queue", agent.name)
    sites = rng.sample([site.name for site in SITES], QUEUED_AT)
    possible = {site: {"num_elem": 2, "sum_jobs": rng.randrange(5, 200)} for site in sites}
    unique = {site: {"num_elem": 1, "sum_jobs": held["sum_jobs"] // 4} for site, held in possible.items()}
    by_priority = [
        {"priority": priority, "num_elem": 5, "sum_jobs": rng.randrange(20, 400)} for priority in PRIORITIES
    ]
    down = [agent.dead_component] if agent.dead_component else []
    value = {
        "_id": agent.hostname,
        "type": "agent_info",
        "agent": "WMAgent",
        "agent_url": agent.hostname,
        "agent_team": TEAM,
        "agent_version": agent.version,
        "timestamp": now,
        "status": "down" if down else "ok",
        "drain_mode": False,
        "down_components": down,
        "down_component_detail": [],
        "disk_warning": [],
        "components": {},
        "workers": [],
        "LocalWQ_INFO": {
            "workByStatusAndPriority": {"Available": by_priority},
            "possibleJobsPerSite": {"Available": possible},
            "uniqueJobsPerSite": {"Available": unique},
        },
    }
    return {"id": agent.hostname, "key": agent.hostname, "value": value}


def _board(statuses: list[dict[str, Any]], slots: list[dict[str, Any]]) -> dict[str, bytes]:
    return {"sts15min": _answer(statuses), "scap15min": _answer(slots)}


def _catalogue(sites: list[list[str]], reads: list[list[str]]) -> dict[str, bytes]:
    return {
        "site-names": _table(["type", "site_name", "alias"], sites),
        "data-processing": _table(["phedex_name", "psn_name", "site_name"], reads),
    }


def _table(columns: list[str], rows: list[list[str]]) -> bytes:
    return json.dumps({"desc": {"columns": columns}, "result": rows}).encode()


def _hit(data: dict[str, Any], since: int) -> dict[str, Any]:
    return {"_source": {"data": data, "metadata": {"timestamp": since * 1000}}, "sort": [since * 1000]}


def _answer(hits: list[dict[str, Any]]) -> bytes:
    answer = {"hits": {"total": {"value": len(hits)}, "hits": hits}, "status": 200}
    return json.dumps({"responses": [answer]}).encode()


def _iso(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
