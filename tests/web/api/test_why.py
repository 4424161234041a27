"""Why work does not run, as the service answers: whole, filtered, page by page."""

from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import replace

from rcmon.model import Document, Snapshot, Task
from rcmon.render import render
from rcmon.rules.judging import judge
from rcmon.rules.reasons import REASONS
from rcmon.web.about import BASE
from rcmon.web.api.why import Reason
from tests.store.using import save
from tests.web.grid import make_snapshot
from tests.web.serving import Serving

SITE = "T1_DE_KIT"
FIELDS = ("agent", "site", "task", "submits", "condition", "reason", "tier", "detail", "numbers")


async def why(service: Serving, path: str) -> dict[str, Any]:
    answer = await service.ask(path)
    assert answer.code == 200, answer.body
    page: dict[str, Any] = msgspec.json.decode(answer.body)
    assert page["count"] == len(page["answers"])
    pairs = {(one["site"], one["agent"]) for one in page["answers"]}
    assert [(one["site"], one["agent"]) for one in page["sites"]] == sorted(pairs)
    return page


def keys(page: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["site"], one["agent"], one["task"]) for one in page["answers"]]


def every() -> list[tuple[str, str, str]]:
    return sorted(
        (site, agent, cell.task)
        for agent, places in judge(make_snapshot()).items()
        for site, place in places.items()
        for cell in place.cells
    )


async def test_every_agent_site_and_task_type_is_answered(service: Serving) -> None:
    page = await why(service, "/api/why?limit=2000")
    assert keys(page) == every()
    assert (page["total"], page["next"]) == (len(every()), None)
    assert all(tuple(one) == FIELDS for one in page["answers"])
    assert {one["submits"] for one in page["answers"]} >= {True, False}
    first = page["sites"][0]
    assert [one["stage"] for one in first["admission"]] == ["agent_queue", "database"]
    assert first["admission"][0]["floor"] is None, "what stands in the agent's queue is not known"
    assert (first["as_of"], first["stale"]) == (page["timestamp"], False) or first["as_of"]


async def test_one_site_is_its_part_of_all(service: Serving) -> None:
    page = await why(service, f"/api/sites/{SITE}/why")
    listed = await why(service, f"/api/why?site={SITE}&limit=2000")
    assert page == listed
    assert keys(page) == [key for key in every() if key[0] == SITE]


async def test_an_unknown_site_is_not_there(service: Serving) -> None:
    assert (await service.ask("/api/sites/T9_NO_SUCH/why")).code == 404


async def test_a_list_read_page_by_page_is_the_whole(service: Serving) -> None:
    path, seen, pages = "/api/why?site=T1_*&limit=7", [], 0
    while path:
        page = await why(service, path)
        seen += keys(page)
        pages += 1
        path = (page["next"] or "").removeprefix(BASE)
    assert seen == [key for key in every() if key[0].startswith("T1_")]
    assert pages == -(-len(seen) // 7)


async def test_rows_do_not_move_when_the_data_change(service: Serving) -> None:
    """A page goes on behind its last answer, whatever was before that."""
    assert service.store
    before = await why(service, "/api/why?limit=20")
    snapshot = make_snapshot()
    gone = min(snapshot.agents)
    left = {name: agent for name, agent in snapshot.agents.items() if name != gone}
    smaller = replace(snapshot, agents=left)
    await save(service.store, smaller, render(smaller), [])
    await service.board.check()
    after = await why(service, before["next"].removeprefix(BASE))
    expected = [key for key in every() if key[1] != gone and key > keys(before)[-1]]
    assert keys(after) == expected[:20]


async def test_what_is_submitted_is_not_blocked_whatever_stands_against_more(service: Serving) -> None:
    snapshot = make_snapshot()
    drained = {name: replace(agent, drain=True) for name, agent in snapshot.agents.items()}
    await service.publish(replace(snapshot, agents=drained, started=snapshot.started + 60))
    drain = "/api/why?reason=agent_drain&limit=2000"
    held, taken = [await why(service, f"{drain}&blocked={which}") for which in ("true", "false")]
    assert {one["submits"] for one in held["answers"]} == {False}, "their slots are full"
    assert {one["submits"] for one in taken["answers"]} == {True}
    assert held["total"] + taken["total"] == (await why(service, drain))["total"]


async def test_filters_hold_together(service: Serving) -> None:
    page = await why(service, "/api/why?blocked=true&limit=2000")
    assert {one["submits"] for one in page["answers"]} <= {False, None}
    assert page["total"]
    assert all(one["reason"] for one in page["answers"])
    taken = await why(service, "/api/why?blocked=false&limit=2000")
    assert {one["submits"] for one in taken["answers"]} == {True}
    assert page["total"] + taken["total"] == len(every())
    down = await why(service, "/api/why?reason=site_down,site_aborted&task=Merge,P*&limit=2000")
    assert {one["reason"] for one in down["answers"]} == {"site_down", "site_aborted"}
    assert {one["task"][0] for one in down["answers"]} <= {"M", "P"}
    agent = every()[0][1]
    only = await why(service, f"/api/why?agent={agent}&limit=2000")
    assert {one["agent"] for one in only["answers"]} == {agent}
    assert (await why(service, "/api/why?agent=nobody"))["total"] == 0


async def test_the_sentence_of_a_full_task_type(service: Serving) -> None:
    assert service.store
    await publish(service, with_task(Task(100, 45, 0, jobs=jobs(45), wf_highest_priority=84_999)))
    page = await why(service, f"/api/why?site={SITE}&task=Processing&limit=1")
    (one,) = page["answers"]
    assert one["detail"] == (
        f"{SITE} takes no more Processing of {one['agent']}: 45 of 45 pending slots are used; "
        "workflow priority 85000 and above overflows"
    )
    assert (one["condition"], one["reason"], one["tier"]) == (
        "NoTaskPendingSlot",
        "task_pending_full",
        "capacity",
    )
    assert one["numbers"]["overflow_from"] == 85_000
    assert one["numbers"]["matching_idle"] is None


def jobs(pending: int) -> Any:
    return replace(next(iter(make_snapshot().sites.values())).jobs, pending=pending, running=0)


def with_task(task: Task) -> Snapshot:
    """Make a snapshot in which all agents have nothing but this at the site."""
    snapshot = make_snapshot()
    values = {"state": "Normal", "pending_slots": 5000, "running_slots": 5000, "tasks": {"Processing": task}}
    agents = {
        name: replace(
            agent,
            sites={
                key: replace(site, **values) if key == SITE else site for key, site in agent.sites.items()
            },
            drain=False,
            components=None,
        )
        for name, agent in snapshot.agents.items()
    }
    return replace(snapshot, agents=agents)


async def publish(service: Serving, snapshot: Snapshot, documents: list[Document] | None = None) -> None:
    assert service.store
    await save(service.store, snapshot, documents or render(snapshot), [])
    await service.board.check()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("reason=no_such", "reason"),
        ("blocked=maybe", "blocked"),
        ("limit=0", "limit"),
        ("limit=2001", "limit"),
        ("cursor=%00", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("cursor=A", "cursor"),
        ("cursor=WyJhIl0=", "cursor"),
        ("cursor=WyL_IiwgImEiLCAiYiJd", "cursor"),  # a name that is no UTF-8
        ("cursor=%C3%A4", "cursor"),
        ("state=Down", "state"),
    ],
)
async def test_what_is_not_understood_is_refused_by_name(service: Serving, query: str, name: str) -> None:
    answer = await service.ask(f"/api/why?{query}")
    assert answer.code == 400
    assert msgspec.json.decode(answer.body)["parameter"] == name


async def test_a_collector_that_judges_nothing_yet_is_told(service: Serving) -> None:
    snapshot = make_snapshot()
    documents = [document for document in render(snapshot) if document.key != "why"]
    await publish(service, snapshot, documents)
    answer = await service.ask("/api/why")
    assert answer.code == 503
    assert "'why'" in msgspec.json.decode(answer.body)["detail"]


def test_every_reason_can_be_asked_for() -> None:
    assert get_args(Reason) == tuple(REASONS)
