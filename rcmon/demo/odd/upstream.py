"""What the upstreams say of the testbed, and what they say that they should not. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from rcmon.demo.odd.agents import COMPONENTS, ODD, ODD_AGENTS, TEAM, UNSTEADY, OddAgent
from rcmon.demo.odd.beating import is_off
from rcmon.demo.odd.databases import DEAD_FOR, VERSION
from rcmon.demo.odd.sites import CPU, IO, ODD_SITES, UNSTEADY_SITES, OddSite

Said = tuple[dict[str, Any], int]
"""What the board says of a site, and since when, seconds since the epoch."""
DAY = 86400
LOSING = "T3_XX_LosesCores"
"""The site that has cores in the board at first, and then none."""
SETTLED = 180
"""Seconds after which it has none: every cycle that is due has seen them."""
OPEN_FOR = 90
"""Seconds that the second catalogue answers, once in each REOPENS seconds."""
REOPENS = 1800
DISUSED_SITES = tuple(f"T3_XX_Disused{number}" for number in range(1, 6))
"""What the second board has: sites of long ago, none of them enabled, none with cores."""
ROWS = 1000
"""Rows of each of them in the second board: as many as one answer can hold."""
EVERY_SITE = (*ODD_SITES, *UNSTEADY_SITES)


def statuses(now: int) -> Iterator[Said]:
    """Give the board's rows of the sites' states: those of the testbed, then odd ones."""
    since = now - now % DAY
    for site in EVERY_SITE:
        yield {"name": site.name, "prod_status": site.status, "detail": ""}, since
    sound = {"prod_status": "enabled", "detail": ""}
    for name in ("CoresImplausible", "NoCpu", "ZeroCpu", "NoIo", "NoCores"):
        yield {"name": f"T3_XX_{name}", **sound}, since
    yield {"name": "T3_XX_Forgotten", **sound}, now - 3 * DAY
    yield {"name": "T3_XX_NewStatus", "prod_status": "maintenance", "detail": ""}, since
    yield {"name": "T3_XX_NoText", "prod_status": "enabled", "detail": 7}, since
    yield {"name": "T3_XX_ManualAhead", **sound, "manual_prod": _AHEAD}, since
    yield {"name": LOSING, **sound}, since
    yield {"name": "", **sound}, since


_AHEAD = {
    "status": "enabled",
    "mode": "latched",
    "who": "operator",
    "when": "2100-01-01T00:00:00Z",
    "why": "",
}


def capacities(now: int, begun: int) -> Iterator[Said]:
    """Give the board's rows of the sites' cores, likewise; one site's vanish a while after all began."""
    since = now - now % 900
    yield _cores(LOSING, CPU if now - begun < SETTLED else 0, IO), max(since, begun)
    for name in (*(site.name for site in EVERY_SITE), "T3_XX_NewStatus", "T3_XX_NoText", "T3_XX_ManualAhead"):
        yield _cores(name, CPU, IO), since
    # never the second number alone: that would end the round of every agent's updater
    yield _cores("T3_XX_CoresImplausible", CPU, -5), since
    yield _cores("T3_XX_NoCpu", None, None), since
    yield _cores("T3_XX_ZeroCpu", 0, IO), since
    yield _cores("T3_XX_NoIo", CPU, None), since
    yield _cores("T3_XX_NoStatus", CPU, IO), since
    yield _cores("T3_XX_Forgotten", CPU, IO), since


def _cores(name: str, cpu: int | None, io: int | None) -> dict[str, Any]:
    return {"name": name, "core_cpu_intensive": cpu, "core_io_intensive": io}


def site_names() -> Iterator[list[str]]:
    """Give the catalogue's rows of names: type, site and alias.

    One site has two CMS names, one row is short.
    """
    for site in EVERY_SITE:
        yield ["psn", site.name, site.name]
        yield ["cms", site.name, site.name]
    yield ["psn", "T3_XX_Both", "T3_XX_TwoNames"]
    yield ["cms", "T3_XX_Both", "T3_XX_OneName"]
    yield ["cms", "T3_XX_Both", "T3_XX_OtherName"]
    yield ["psn", "T3_XX_Short"]


def storage() -> Iterator[list[str]]:
    """Give the catalogue's rows of storage."""
    for site in EVERY_SITE:
        yield [site.name, site.name, site.name]


def disused(now: int) -> tuple[list[Said], list[Said]]:
    """Give the second board's rows, of states and of cores."""
    since = now - now % DAY
    states: list[Said] = [
        ({"name": name, "prod_status": "disabled", "detail": ""}, since - 60 * row)
        for name in DISUSED_SITES
        for row in range(ROWS)
    ]
    return states, [(_cores(name, 0, 0), since) for name in DISUSED_SITES]


def is_open(now: int, begun: int) -> bool:
    """Tell whether the second catalogue answers."""
    return (now - begun) % REOPENS < OPEN_FOR


def elsewhere() -> tuple[list[list[str]], list[list[str]]]:
    """Give the second catalogue's rows, of names and of storage: a site that no agent has."""
    name = "T3_XX_Elsewhere"
    return [["psn", name, name], ["cms", name, name]], [[name, name, name]]


def reports(now: int) -> Iterator[dict[str, Any]]:
    """Give the agents' own reports; the silent one's is old. One document is nobody's."""
    for agent in ODD_AGENTS:
        yield {"id": agent.hostname, "key": agent.hostname, "value": _report(agent, now)}
    yield {"id": "leftover", "key": "leftover", "value": {"type": "agent_info", "status": "ok"}}


def _report(agent: OddAgent, now: int) -> dict[str, Any]:
    down = [name for name, workers in COMPONENTS.items() if not agent.dead.isdisjoint(workers)]
    return {
        "_id": agent.hostname,
        "type": "agent_info",
        "agent": "WMAgent",
        "agent_url": agent.hostname,
        "agent_team": TEAM,
        "agent_version": VERSION,
        "timestamp": now - DEAD_FOR if agent.is_silent else now,
        "status": "down" if down else "ok",
        "drain_mode": agent.drain or (agent is UNSTEADY and is_off(now)),
        "down_components": down,
    }


def ads() -> bytes:
    """Write the odd agent's job ads, and four that are odd themselves, as `condor_q -json` does."""
    return json.dumps([*(ad for site in ODD_SITES for ad in _ads(site)), *_odd_ads()]).encode()


def _ads(site: OddSite) -> Iterator[dict[str, Any]]:
    for task, (pending, running) in site.jobs.items():
        about = {"WMAgent_AgentName": ODD.name, "CMS_JobType": task, "DESIRED_Sites": site.name}
        for _ in range(pending if site.idle else 0):
            yield about | {"JobStatus": 1}
        for _ in range(running):
            yield about | {"JobStatus": 2, "MachineAttrGLIDEIN_CMSSite0": site.name}


def _odd_ads() -> Iterator[dict[str, Any]]:
    sound = {"WMAgent_AgentName": ODD.name, "CMS_JobType": "Production", "JobStatus": 1}
    yield sound | {"WMAgent_AgentName": "undefined", "DESIRED_Sites": "T3_XX_Plain"}
    yield sound | {"JobStatus": "idle", "DESIRED_Sites": "T3_XX_Plain"}
    yield sound | {"DESIRED_Sites": ""}
    yield sound | {"JobStatus": 2, "DESIRED_Sites": "T3_XX_Plain"}
