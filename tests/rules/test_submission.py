"""Whether a job is submitted is what WMCore's own JobSubmitter says, in every cell and for every priority."""

from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from rcmon.documents.deflated import inflate
from rcmon.documents.keys import thresholds
from rcmon.model import Agent, Task
from rcmon.render import render
from rcmon.rules.judging import judge
from rcmon.rules.submission import (
    OVERFLOW,
    TIER0_OVERFLOW,
    Figures,
    condition,
    job_priority,
    most_executing,
    overflow_from,
    overflows,
    usual_condition,
)
from tests.peer.asking import ask
from tests.rules.cells import snapshot
from tests.sources.polling import agent_of, poll
from tests.sources.sample import answer, unpack

READY = "JobSubmitReady"
TASKS = ("Processing", "Merge", "Skim", "Harvesting", "LogCollect", "Cleanup", "Repack")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Agent:
    sample = unpack(tmp_path_factory.mktemp("sample") / "agent.sqlite")
    return agent_of(poll(f"sqlite:///{sample}"))


def document(cells: Iterable[tuple[str, str, Figures]]) -> dict[str, Any]:
    """Write what WMCore's listThresholdsForSubmit gives."""
    sites: dict[str, Any] = {}
    for site, task, figures in cells:
        whole = {
            "total_pending_slots": figures.site_pending_slots,
            "total_running_slots": figures.site_running_slots,
            "total_pending_jobs": figures.site_pending,
            "total_running_jobs": figures.site_running,
            "thresholds": {},
        }
        sites.setdefault(site, whole)["thresholds"][task] = {
            "pending_slots": figures.pending_slots,
            "max_slots": figures.max_slots,
            "task_pending_jobs": figures.pending,
            "task_running_jobs": figures.running,
            "wf_highest_priority": figures.wf_highest_priority,
        }
    return sites


def figures_of(given: dict[str, Any], task: str) -> Figures:
    cell = given["thresholds"][task]
    return Figures(
        *(
            given[f"total_{name}"]
            for name in ("pending_slots", "running_slots", "pending_jobs", "running_jobs")
        ),
        *(cell[name] for name in ("pending_slots", "max_slots", "task_pending_jobs", "task_running_jobs")),
        cell["wf_highest_priority"],
    )


def differing(
    cells: list[tuple[str, str, Figures]], priorities: Iterable[int], overflow: float
) -> tuple[int, list[object]]:
    """Hold every cell at every priority against WMCore: how many were asked, and what differs."""
    jobs = [(priority, site, task) for site, task, _ in cells for priority in priorities]
    theirs = ask("submit_condition", {"overflow": overflow, "thresholds": document(cells), "jobs": jobs})
    known = {(site, task): figures for site, task, figures in cells}
    ours = [condition(known[site, task], task, priority, overflow) or READY for priority, site, task in jobs]
    assert len(theirs) == len(jobs)
    return len(jobs), [
        (*job, mine, other) for job, mine, other in zip(jobs, ours, theirs, strict=True) if mine != other
    ]


def priorities_of(agent: Agent, highest: Iterable[int]) -> list[int]:
    """Give every job priority that occurs in an agent, and one above all."""
    tasks = {task.priority for site in agent.sites.values() for task in site.tasks.values()}
    workflows = {priority for site in agent.sites.values() for priority in site.backlog} | set(highest)
    found = {job_priority(task or 0, workflow) for task in tasks for workflow in workflows}
    return [-1, *sorted(found), max(found) + 1]


@pytest.mark.parametrize("overflow", [OVERFLOW, TIER0_OVERFLOW])
def test_every_cell_of_the_sample_agent_is_as_wmcore_says(agent: Agent, overflow: float) -> None:
    given = answer("listThresholdsForSubmit")
    cells = [
        (name, task, figures_of(site, task)) for name, site in given.items() for task in site["thresholds"]
    ]
    highest = {each.wf_highest_priority for _, _, each in cells if each.wf_highest_priority is not None}
    asked, wrong = differing(cells, priorities_of(agent, highest), overflow)
    assert len(cells) == sum(len(site.tasks) for site in agent.sites.values()) == 126
    assert asked > 1000
    assert wrong == []


def less(task: Task, by: int) -> dict[str, int]:
    return {name: (getattr(task, name) or 0) // by for name in ("pending_slots", "max_slots")}


def shrunk(agent: Agent, by: int) -> Agent:
    """Make an agent whose sites have so many times fewer slots."""
    sites = {}
    for name, site in agent.sites.items():
        tasks = {key: replace(task, **less(task, by)) for key, task in site.tasks.items()}
        pending, running = (site.pending_slots or 0) // by, (site.running_slots or 0) // by
        sites[name] = replace(site, tasks=tasks, pending_slots=pending, running_slots=running)
    return replace(agent, sites=sites)


@pytest.mark.parametrize(("by", "kinds"), [(1, 1), (10, 2), (50, 3), (100, 3), (1000, 2)])
def test_every_condition_that_is_shown_of_the_sample_agent_is_wmcores(
    agent: Agent, by: int, kinds: int
) -> None:
    """Asked of the thresholds that rcmon serves, for a workflow of no higher priority than is there."""
    small = shrunk(agent, by)
    (places,) = judge(snapshot(small)).values()
    cells = {(name, cell.task): cell for name, place in places.items() for cell in place.cells}
    jobs = [
        (job_priority(cell.priority or 0, cell.wf_highest_priority or 0), *key) for key, cell in cells.items()
    ]
    (overflow,) = {place.overflow for place in places.values()}
    documents = {document.key: document for document in render(snapshot(small))}
    served = json.decode(inflate(documents[thresholds(small.name)]))
    theirs = ask("submit_condition", {"overflow": overflow, "thresholds": served, "jobs": jobs})
    shown = [cell.condition or READY for cell in cells.values()]
    assert len(shown) == 126
    assert shown == theirs
    assert len(set(shown)) >= kinds


@pytest.mark.parametrize("overflow", [OVERFLOW, TIER0_OVERFLOW, 0.35])
def test_full_and_nearly_full_cells_are_as_wmcore_says(overflow: float) -> None:
    dice = Random(9)
    cells = [(f"T2_XX_{number}", task, nearly_full(dice)) for number in range(400) for task in TASKS[:1]]
    cells += [(f"T1_XX_{number}", task, nearly_full(dice)) for number, task in enumerate(TASKS * 200)]
    said = {condition(figures, task, 60, overflow) for _, task, figures in cells}
    assert said == {None, "NoPendingSlot", "NoTaskPendingSlot", "NoRunningSlot", "NoTaskRunningSlot"}
    _, wrong = differing(cells, (-1, 0, 40, 41, 60, 30_000_040, 30_000_041), overflow)
    assert wrong == []


def nearly_full(dice: Random) -> Figures:
    """Make figures about the limits."""
    pending_slots, running_slots, slots, most = (dice.choice((0, 1, 5, 45, 50)) for _ in range(4))

    def near(*limits: float) -> int:
        return max(0, int(dice.choice(limits)) + dice.randint(-1, 1))

    pending = near(slots, slots * 1.2, 0)
    running = near(most, most + slots - pending, 0)
    site_pending = near(pending_slots, pending_slots * 1.2, pending, 0)
    site_running = near(running_slots, running_slots + pending_slots - site_pending, 0)
    highest = dice.choice((None, 0, 40, 60))
    return Figures(
        pending_slots, running_slots, site_pending, site_running, slots, most, pending, running, highest
    )


def test_what_an_agent_may_have_executing_is_as_wmcore_says() -> None:
    dice = Random(11)
    asked = [
        (int(most * fraction) + dice.randint(-2, 2), most, fraction)
        for most in (dice.randrange(1, 200_000) for _ in range(5000))
        for fraction in (dice.choice((0, 0.1, 0.75, 1, 1.5)), dice.random())
    ]
    ours = [executing < most_executing(most, fraction) for executing, most, fraction in asked]
    assert ours == [slots > 0 for slots in ask("schedd_slots", asked)]


def test_a_task_type_without_a_threshold_is_what_wmcore_calls_no_job_type() -> None:
    cells = [("T1_XX_A", "Merge", nearly_full(Random(1)))]
    jobs = [(1, "T1_XX_A", "Skim"), (1, "T1_XX_B", "Merge")]
    said = ask("submit_condition", {"overflow": 0.2, "thresholds": document(cells), "jobs": jobs})
    assert said == ["NoJobType_T1_XX_A_Skim", "NoJobType_T1_XX_B_Merge"]


def test_a_priority_above_all_that_are_there_overflows_where_a_fifth_more_lets_it() -> None:
    full = Figures(50, 100, 45, 10, 45, 100, 45, 10, 84_999)
    assert usual_condition(full, "Processing", 0) == "NoTaskPendingSlot"
    assert overflow_from(full, "Processing", 0) == 85_000
    assert overflow_from(full, "Processing", 0, TIER0_OVERFLOW) is None
    assert overflow_from(full, "Merge", 4) is None
    assert not overflows(full, "Processing", 84_999)


def test_a_task_type_of_a_priority_of_its_own_always_overflows() -> None:
    """WMCore compares a job's priority with a workflow's: 1000 pending of 45 are legitimate for Skim."""
    many = Figures(5000, 5000, 1000, 0, 45, 100, 1000, 0, 110_000)
    assert usual_condition(many, "Skim", 3) is None
    assert usual_condition(many, "Processing", 0) == "NoTaskPendingSlot"
