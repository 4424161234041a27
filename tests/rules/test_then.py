"""What stood against work at a past moment: nothing is told that history cannot know."""

from msgspec import structs

from rcmon.model import HistoryRow, Place, TaskPoint
from rcmon.rules.sentences import detail
from rcmon.rules.then import AgentThen, has_tasks, judge_then, name_then

WELL = AgentThen("2.4.5", drain=False, down_components=())
ROOM = HistoryRow(
    0.0,
    "a",
    "T2_XX_A",
    "Normal",
    100,
    50,
    5,
    8,
    (TaskPoint("Merge", 1, 2, 100, 50), TaskPoint("Processing", 4, 6, 100, 50)),
)


def judged(*rows: HistoryRow, agent: AgentThen = WELL) -> dict[str, Place]:
    return dict(judge_then("a", agent, rows))


def verdicts(*rows: HistoryRow, agent: AgentThen = WELL) -> dict[str, tuple[bool | None, str | None]]:
    (place,) = judged(*rows, agent=agent).values()
    return {cell.task: (cell.submits, cell.reason) for cell in place.cells}


def test_where_nothing_stands_against_it_nothing_is_told_to_have_been_submitted() -> None:
    assert verdicts(ROOM) == {"Merge": (None, None), "Processing": (None, None)}
    (place,) = judged(ROOM).values()
    assert detail("T2_XX_A", place, place.cells[0]) == (
        "nothing that was kept stands against Merge of a at T2_XX_A: 2 of 50 pending slots of Merge and 8 of"
        " 50 of the site were used"
    )


def test_states_stand_against_it_whoever_set_them() -> None:
    down = structs.replace(ROOM, state="Down")
    assert set(verdicts(down).values()) == {(False, "site_down")}
    assert verdicts(structs.replace(ROOM, state="Draining")) == {
        "Merge": (None, None),
        "Processing": (False, "site_draining"),
    }
    assert set(verdicts(structs.replace(ROOM, state=None)).values()) == {(None, "state_unknown")}


def test_agents_stand_against_it() -> None:
    silent = structs.replace(WELL, down_components=("JobSubmitter",))
    assert set(verdicts(ROOM, agent=silent).values()) == {(False, "submitter_down")}
    drained = structs.replace(WELL, drain=True, down_components=("JobCreator",))
    assert set(verdicts(ROOM, agent=drained).values()) == {(None, "agent_drain")}


def test_what_the_journal_does_not_tell_of_an_agent_is_no_reason() -> None:
    assert set(verdicts(ROOM, agent=AgentThen()).values()) == {(None, None)}


def test_full_slots_hold_back_what_cannot_overflow_and_of_the_rest_it_is_not_known() -> None:
    points = (TaskPoint("Merge", 1, 50, 100, 50), TaskPoint("Processing", 4, 50, 100, 50))
    full = structs.replace(ROOM, tasks=points, pending_jobs=8)
    assert verdicts(full) == {
        "Merge": (False, "task_pending_full"),
        "Processing": (None, "priority_unknown"),
    }
    beyond = structs.replace(ROOM, tasks=(TaskPoint("Processing", 4000, 50, 100, 50),))
    assert verdicts(beyond) == {"Processing": (None, "priority_unknown")}


def test_more_running_jobs_than_any_overflow_allows_hold_back_all() -> None:
    points = (TaskPoint("Processing", 4000, 10, 100, 50),)
    assert verdicts(structs.replace(ROOM, tasks=points)) == {"Processing": (False, "task_running_full")}


def test_one_site_is_judged_as_it_is_among_all() -> None:
    other = structs.replace(ROOM, site="T2_XX_B", tasks=(TaskPoint("Skim", 0, 0, 5, 5),))
    rows = (ROOM, other)
    assert dict(judge_then("a", WELL, rows, {"T2_XX_B"})) == {"T2_XX_B": judged(*rows)["T2_XX_B"]}


def test_what_is_judged_is_named_before() -> None:
    other = structs.replace(ROOM, site="T2_XX_B", tasks=(TaskPoint("Skim", 0, 0, 5, 5),))
    rows = (ROOM, other, structs.replace(ROOM, site="T2_XX_C", tasks=None))
    named = {site: [cell.task for cell in place.cells] for site, place in name_then("a", rows)}
    assert named == {site: [cell.task for cell in place.cells] for site, place in judged(*rows).items()}
    assert [len(tasks) for tasks in named.values()] == [3, 3, 0]


def test_a_task_type_of_another_site_has_no_threshold_here() -> None:
    other = structs.replace(ROOM, site="T2_XX_B", tasks=(TaskPoint("Skim", 0, 0, 5, 5),))
    cells = {cell.task: cell.reason for cell in judged(ROOM, other)["T2_XX_A"].cells}
    assert cells == {"Merge": None, "Processing": None, "Skim": "threshold_missing"}


def test_slots_that_were_not_known_are_no_zeros() -> None:
    assert set(verdicts(structs.replace(ROOM, pending_slots=None)).values()) == {(None, "slots_unknown")}


def test_of_a_site_whose_task_types_were_not_kept_nothing_is_told() -> None:
    lacking = structs.replace(ROOM, tasks=None)
    assert not has_tasks(lacking)
    assert judged(lacking)["T2_XX_A"].cells == ()
    assert not has_tasks(structs.replace(ROOM, tasks=(TaskPoint("Merge", None, 2, 100, 50),)))
