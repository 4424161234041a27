"""An agent's thresholds and backlog in the very shape that WMCore gave for a real agent's database."""

import json
from pathlib import Path
from typing import Any

import pytest

from rcmon.documents import keys
from rcmon.documents.deflated import inflate
from rcmon.model import Agent, AgentSite, Jobs, Task
from rcmon.render import render
from tests.render.factory import START, snapshot_of

DATA = Path(__file__).parents[1] / "data" / "agent-t0"


def reference(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text())


def task(shape: dict[str, Any]) -> Task:
    jobs = Jobs(pending=shape["task_pending_jobs"], running=shape["task_running_jobs"])
    return Task(
        shape["max_slots"], shape["pending_slots"], shape["priority"], jobs, shape["wf_highest_priority"]
    )


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """The documents of an agent that is built of WMCore's own answers."""
    submit, create = reference("listThresholdsForSubmit"), reference("listThresholdsForCreate")
    sites = {}
    for name, shape in submit.items():
        backlog = create.get(name, {"cms_name": None, "pending_jobs": {}})
        sites[name] = AgentSite(
            name=name,
            state=shape["state"],
            state_time=float(shape["state_time"]),
            cms_name=backlog["cms_name"],
            plugin="SimpleCondorPlugin",
            running_slots=shape["total_running_slots"],
            pending_slots=shape["total_pending_slots"],
            pnns=tuple(shape["pnns"]),
            tasks={kind: task(content) for kind, content in shape["thresholds"].items()},
            backlog={int(priority): jobs for priority, jobs in backlog["pending_jobs"].items()},
        )
    agent = Agent("t0", START, sites)
    return {
        document.key: json.loads(inflate(document))
        for document in render(snapshot_of(agent))
        if document.media_type == "application/json"
    }


def test_thresholds_have_wmcores_shape(made: dict[str, Any]) -> None:
    assert made[keys.thresholds("t0")] == reference("listThresholdsForSubmit")


def test_backlog_has_wmcores_shape(made: dict[str, Any]) -> None:
    backlog = made[keys.backlog("t0")]
    expected = reference("listThresholdsForCreate")
    assert {name: backlog[name] for name in expected} == expected


def test_keys_are_sorted_as_in_the_reference(made: dict[str, Any]) -> None:
    for key in (keys.thresholds("t0"), keys.backlog("t0")):
        for site in made[key].values():
            assert list(site) == sorted(site)
            for content in site.get("thresholds", {}).values():
                assert list(content) == sorted(content)
            priorities = [int(priority) for priority in site.get("pending_jobs", {})]
            assert priorities == sorted(priorities)


def test_a_site_without_thresholds_is_shown_with_null_slots() -> None:
    seen = Task(None, None, None, Jobs(running=2), 7)
    site = AgentSite("T3_XX", None, None, None, None, None, None, tasks={"Merge": seen})
    made = {document.key: document for document in render(snapshot_of(Agent("a", START, {"T3_XX": site})))}
    assert json.loads(inflate(made[keys.thresholds("a")])) == {
        "T3_XX": {
            "pnns": [],
            "state": None,
            "state_time": None,
            "thresholds": {
                "Merge": {
                    "max_slots": None,
                    "pending_slots": None,
                    "priority": None,
                    "task_pending_jobs": 0,
                    "task_running_jobs": 2,
                    "wf_highest_priority": 7,
                }
            },
            "total_pending_jobs": 0,
            "total_pending_slots": None,
            "total_running_jobs": 2,
            "total_running_slots": None,
        }
    }
    assert json.loads(inflate(made[keys.backlog("a")])) == {
        "T3_XX": {"cms_name": None, "pending_jobs": {}, "state": None, "total_slots": None}
    }
