"""Who holds the slots: jobs by workflow, cut to those with most, and adding up to what is counted without."""

from pathlib import Path

from rcmon.model import Holder
from rcmon.sources.plausible import Values
from rcmon.sources.wmagent.columns import COLUMNS
from rcmon.sources.wmagent.findings import Findings
from rcmon.sources.wmagent.holders import KEPT, holders
from tests.sources.polling import agent_of, poll
from tests.sources.small import SmallAgent


def test_a_workflow_holds_what_its_tasks_hold(small: SmallAgent) -> None:
    again = "INSERT INTO wmbs_workflow VALUES (3, 'spec', 'alpha', '/alpha/More', 'p', 1, 0, 1, 100)"
    small.run(again)
    small.run("INSERT INTO wmbs_subscription VALUES (3, 3, 3, 'EventBased', 1, 0, 0)")
    small.run("INSERT INTO wmbs_jobgroup VALUES (3, 3, 'three', 3, 0, NULL)")
    more = small.job("executing", site=1, status="Running")
    small.run("UPDATE wmbs_job SET jobgroup = 3 WHERE id = ?", more)
    found = small.poll().holders
    assert found is not None
    assert found["T1_DE_KIT"]["Production"].named == (Holder("alpha", 1, 2),)
    assert list(found) == ["T1_DE_KIT"]


def test_the_sample_adds_up(sample: Path) -> None:
    agent = agent_of(poll(f"sqlite:///{sample}"))
    assert agent.holders is not None
    for name, site in agent.sites.items():
        for task, seen in site.tasks.items():
            held = agent.holders.get(name, {}).get(task)
            if held is None:
                assert (seen.jobs.pending, seen.jobs.running) == (0, 0)
                continue
            pending = sum(one.pending for one in held.named) + held.others_pending
            running = sum(one.running for one in held.named) + held.others_running
            assert (pending, running) == (seen.jobs.pending, seen.jobs.running)


def cut(held: dict[int, tuple[int, int]], names: list[tuple[int, str | None]]) -> tuple[object, ...]:
    cells = {("T2_A_B", "Merge", row): jobs for row, jobs in held.items()}
    (only,) = holders(cells, names, Values(Findings("a"), 0.0, COLUMNS)).values()
    found = only["Merge"]
    return found.named, found.others, found.others_pending, found.others_running


def test_most_running_and_most_pending_are_kept_and_the_others_added_up() -> None:
    running = {row: (0, 1000 - row) for row in range(40)}
    pending = {row: (1000 - row, 0) for row in range(100, 140)}
    names: list[tuple[int, str | None]] = [(row, f"w{row:03}") for row in (*running, *pending)]
    named, others, others_pending, others_running = cut(running | pending, names)
    kept = [f"w{row:03}" for row in (*range(KEPT), *range(100, 100 + KEPT))]
    assert [one.workflow for one in named] == kept  # type: ignore[attr-defined]
    assert others == 80 - 2 * KEPT
    assert others_running == sum(count for _, count in running.values()) - sum(one.running for one in named)  # type: ignore[attr-defined]
    assert others_pending == sum(count for count, _ in pending.values()) - sum(one.pending for one in named)  # type: ignore[attr-defined]


def test_what_has_no_name_is_among_the_others() -> None:
    assert cut({1: (2, 3), 2: (4, 5), 3: (1, 1)}, [(1, "one"), (2, None)]) == (
        (Holder("one", 2, 3),),
        1,
        5,
        6,
    )
