"""What cannot be true, on its way through a cycle: nothing ends, and JSON and metrics say the same."""

import asyncio
from pathlib import Path

import pytest
from msgspec import json

from rcmon.documents import keys
from rcmon.documents.deflated import inflate
from rcmon.model import Snapshot
from rcmon.sources.wmagent import WMAgentConfig, WMAgentSource
from tests.collector.steady import Steady
from tests.render.decoding import rendered
from tests.render.reading import series_of
from tests.sources.polling import NOW
from tests.sources.small import SmallAgent

SITE = "T1_DE_KIT"


def conclude(folder: Path, *changes: str) -> Snapshot:
    """Conclude a cycle over an agent for each change, and one that is sound."""
    sources = []
    for number, change in enumerate((*changes, "SELECT 1")):
        agent = SmallAgent(folder / f"{number}.sqlite")
        agent.run(change)
        agent.run(f"UPDATE wma_init SET init_value = 'node{number}' WHERE init_param = 'hostname'")
        agent.close()
        sources.append(WMAgentSource(WMAgentConfig(name=f"agent{number}", url=agent.url)))

    async def run() -> Snapshot:
        cycle = Steady(sources, 30.0, 3600.0)
        try:
            # what is wrong is raised when a second cycle finds it too
            await cycle.run_once(NOW)
            return await cycle.run_once(NOW + 30)
        finally:
            await cycle.close()

    snapshot = asyncio.run(run())
    assert [source.error for source in snapshot.sources] == [None] * len(sources)
    return snapshot


def samples(snapshot: Snapshot, family: str) -> dict[str, float]:
    """Give a family's samples of the site by agent; both formats agree on them."""
    found = {}
    for (name, labels), value in series_of(snapshot).items():
        by_name = dict(labels)
        if name == family and by_name.get("site", SITE) == SITE:
            found[by_name["agent"]] = value
    return found


def told(snapshot: Snapshot, key: str, value: str) -> dict[str, object]:
    """Give what the JSON document of all sites says of the site, by agent."""
    (site,) = (
        each for each in json.decode(inflate(rendered(snapshot)[key]))["sites"] if each["name"] == SITE
    )
    return {agent: seen[value] for agent, seen in site["agents"].items()}


@pytest.mark.parametrize(
    "changes",
    [
        ("UPDATE wmbs_location SET running_slots = -9223372036854775808 WHERE id = 1",) * 2,
        ("UPDATE wmbs_location SET running_slots = '18446744073709551615' WHERE id = 1",),
        ("UPDATE wmbs_location SET running_slots = 9e999 WHERE id = 1",),
        ("UPDATE wmbs_location SET running_slots = -1 WHERE id = 1",),
    ],
)
def test_slots_that_cannot_be(tmp_path: Path, changes: tuple[str, ...]) -> None:
    snapshot, sound = conclude(tmp_path, *changes), f"agent{len(changes)}"
    odd = [f"agent{number}" for number in range(len(changes))]
    found = [each for each in snapshot.findings if each.kind == "slots_implausible"]
    assert [(each.agent, each.site) for each in found] == [(agent, SITE) for agent in odd]
    assert snapshot.sites[SITE].running_slots == 100
    assert samples(snapshot, "rcmon_site_running_slots") == {sound: 100.0}
    assert told(snapshot, keys.SITES, "running_slots") == {**dict.fromkeys(odd), sound: 100}


def test_a_time_in_milliseconds(tmp_path: Path) -> None:
    snapshot = conclude(tmp_path, "UPDATE wmbs_location SET state_time = 1764108000000 WHERE id = 1")
    assert samples(snapshot, "rcmon_site_state_since_timestamp_seconds") == {"agent1": 1767200000.0}
    assert told(snapshot, keys.SITES, "state_time")["agent0"] is None


def test_a_heartbeat_a_month_ahead(tmp_path: Path) -> None:
    snapshot = conclude(tmp_path, f"UPDATE wm_workers SET last_updated = {int(NOW) + 30 * 86_400}")
    assert samples(snapshot, "rcmon_worker_up") == {"agent0": 0.0, "agent1": 1.0}
    assert samples(snapshot, "rcmon_worker_heartbeat_timestamp_seconds") == {"agent1": 1767268700.0}
    found = [(each.kind, each.agent) for each in snapshot.findings]
    assert found == [("heartbeat_implausible", "agent0"), ("worker_unhealthy", "agent0")]


@pytest.mark.parametrize("time", ["9e999", "-5"])
def test_a_cycle_time_that_cannot_be(tmp_path: Path, time: str) -> None:
    snapshot = conclude(tmp_path, f"UPDATE wm_workers SET cycle_time = {time}")
    assert samples(snapshot, "rcmon_worker_cycle_duration_seconds") == {"agent1": 12.5}
    assert [each.kind for each in snapshot.findings] == ["span_implausible"]
