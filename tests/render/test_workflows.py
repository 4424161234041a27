"""Who holds the slots at a site, over all agents."""

from msgspec import json
from msgspec.structs import replace

from rcmon.documents.shapes import TaskHolders
from rcmon.model import Holder, Holders, Snapshot
from rcmon.render.workflows import TOP, holders_by_site


def merged(snapshot: Snapshot, *held: Holders) -> TaskHolders:
    agents = {
        f"a{number}": replace(next(iter(snapshot.agents.values())), holders={"T2_A_B": {"Merge": one}})
        for number, one in enumerate(held)
    }
    lists = holders_by_site(replace(snapshot, agents=agents))
    (only,) = json.decode(lists["T2_A_B"], type=list[TaskHolders])
    return only


def test_a_workflow_is_added_up_over_agents(snapshot: Snapshot) -> None:
    found = merged(snapshot, Holders((Holder("x", 1, 5),)), Holders((Holder("y", 0, 6), Holder("x", 2, 3))))
    assert [(one.workflow, one.running_jobs) for one in found.by_running] == [("x", 8), ("y", 6)]
    assert [(one.workflow, one.pending_jobs) for one in found.by_pending] == [("x", 3)]
    assert {agent: jobs.running_jobs for agent, jobs in found.by_running[0].agents.items()} == {
        "a0": 5,
        "a1": 3,
    }
    assert (found.workflows, found.pending_jobs, found.running_jobs, found.complete) == (2, 3, 14, True)


def test_the_longest_lists_are_cut_and_say_so(snapshot: Snapshot) -> None:
    many = tuple(Holder(f"w{number:02}", 0, 100 - number) for number in range(TOP + 5))
    found = merged(snapshot, Holders(many, 7, 1, 9))
    assert [one.workflow for one in found.by_running] == [one.workflow for one in many[:TOP]]
    assert (found.workflows, found.complete) == (TOP + 12, False)
    assert found.pending_jobs == 1
    assert found.running_jobs == 9 + sum(one.running for one in many)


def test_a_site_without_jobs_has_no_list(snapshot: Snapshot) -> None:
    assert holders_by_site(replace(snapshot, agents={})) == {}
