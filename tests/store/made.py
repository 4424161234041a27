"""Snapshots, documents and history rows of any size, for tests."""

import zlib
from collections.abc import Sequence

from rcmon.model import Agent, AgentSite, Document, HistoryRow, Jobs, Site, Snapshot, SourceState, Task

TASKS = ("Cleanup", "Harvesting", "LogCollect", "Merge", "Processing", "Production", "Skim")


def agent_site(
    name: str, state: str | None = "Normal", *, slots: int | None = 1000, seed: int = 0
) -> AgentSite:
    tasks = {
        task: Task(500 + seed, 100 + number, number, Jobs(seed % 90, 3 * seed % 700, number), 1000 + seed)
        for number, task in enumerate(TASKS)
    }
    return AgentSite(
        name,
        state,
        1.7e9,
        name,
        "SimpleCondorPlugin",
        slots,
        slots,
        (f"{name}_Disk",),
        tasks,
        {100: seed, 7: 3},
    )


def agent(name: str, sites: int | Sequence[AgentSite] = 3, *, polled_at: float = 1000.0) -> Agent:
    if isinstance(sites, int):
        sites = [agent_site(f"T2_XX_Site{number:04}", seed=31 * number) for number in range(sites)]
    return Agent(name, polled_at, {site.name: site for site in sites})


def snapshot(started: float = 1000.0, agents: Sequence[Agent] = ()) -> Snapshot:
    """Make a snapshot with agents but without merge's care: a site's state is the last agent's."""
    sites: dict[str, Site] = {}
    for one in agents:
        for seen in one.sites.values():
            known = {**sites[seen.name].agents, one.name: seen} if seen.name in sites else {one.name: seen}
            sites[seen.name] = Site(seen.name, "T2", seen.state, {}, 1, 1, seen.jobs, known)
    return Snapshot(
        started,
        0.25,
        60.0,
        tuple(
            SourceState(one.name, "test", True, False, started, 0.1, None, 3, (one.name,)) for one in agents
        ),
        {one.name: one for one in agents},
        sites,
    )


def document(key: str = "sites", text: bytes = b"hello", *, open_ended: bool = False) -> Document:
    body = zlib.compress(text)[2:-4]
    return Document(
        key, "application/json", body, len(text), zlib.crc32(text), f"{zlib.crc32(text):020x}", open_ended
    )


def row(time: float, running: int | None = 1, site: str = "T2_XX_A", agent: str = "a") -> HistoryRow:
    if running is None:
        return HistoryRow(time, agent, site, None, None, None, None, None)
    return HistoryRow(time, agent, site, "Normal", 10, None, running, 0)
