"""Counting rows in whatever order a database gives them."""

from itertools import permutations

import pytest

from rcmon.model import JOB_STATES, Jobs
from rcmon.sources.wmagent.batch import PLUGINS, job_class
from rcmon.sources.wmagent.catalog import Catalog, SiteRow, TaskType
from rcmon.sources.wmagent.counting import count_active
from rcmon.sources.wmagent.findings import Findings
from tests.sources.small import SmallAgent

SITE = SiteRow("T1_DE_KIT", "Normal", 1, "T1_DE_KIT", "SimpleCondorPlugin", 1, 1)
CATALOG = Catalog(
    sites={1: SITE},
    task_types={1: TaskType("Merge", 4)},
    job_states={3: "executing"},
    batch_statuses={1: "Idle", 2: "Running", 3: "Held"},
)


@pytest.mark.parametrize("priorities", list(permutations((100, None, 300))))
def test_the_highest_priority_is_taken_whatever_the_order_and_class(
    priorities: tuple[int | None, ...],
) -> None:
    rows = [(1, 1, 3, 1, 1, priority, status, 7, 2) for status, priority in enumerate(priorities, 1)]
    active = count_active(rows, CATALOG, Findings("vocms0999"))
    assert active.highest == {("T1_DE_KIT", "Merge"): 300}
    assert active.jobs == {("T1_DE_KIT", "Merge"): Jobs(pending=2, running=2, error=2)}


def test_every_state_of_jobs_and_every_batch_status_is_there(small: SmallAgent) -> None:
    agent = small.poll()
    assert agent.jobs_by_state == {**dict.fromkeys(JOB_STATES, 0), "executing": 2}
    assert agent.batch_active == {"New": 0, "Idle": 1, "Running": 1, "Held": 0, "Completed": 0}
    assert agent.batch_completed == dict.fromkeys(("New", "Idle", "Running", "Held", "Completed"), 0)
    assert agent.created_by_task == {"Merge": 0, "Production": 0}


@pytest.mark.parametrize(
    ("plugin", "status", "expected"),
    [
        ("SimpleCondorPlugin", "TransferOutput", "running"),
        ("SimpleCondorPlugin", "Timeout", "error"),
        ("LsfPlugin", "PSUSP", "pending"),
        ("LsfPlugin", "SSUSP", "running"),
        ("MockPlugin", "Done(failed)", "running"),
        ("MockPlugin", "Cancelled by user", "complete"),
        ("MockPlugin", "Cancelled", "error"),
        ("SimpleCondorPlugin", "Transferring", "unknown"),
        ("LsfPlugin", "Idle", "unknown"),
        ("ArcPlugin", "Running", "unknown"),
        (None, "Running", "unknown"),
        ("SimpleCondorPlugin", None, "unknown"),
    ],
)
def test_batch_statuses_are_classed(plugin: str | None, status: str | None, expected: str) -> None:
    assert job_class(plugin, status) == expected


def test_plugins_are_whole() -> None:
    assert {plugin: len(statuses) for plugin, statuses in PLUGINS.items()} == {
        "SimpleCondorPlugin": 10,
        "LsfPlugin": 12,
        "MockPlugin": 13,
    }
