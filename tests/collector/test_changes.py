"""What of a snapshot becomes history."""

from msgspec import structs

from rcmon.collector.changes import changes
from rcmon.model import HistoryRow
from tests.store.made import TASKS, agent, agent_site, snapshot

JOBS = (7 * 3, 7)  # running, pending of seed 1


def kept(rows: list[HistoryRow]) -> list[HistoryRow]:
    """Give rows without their task types."""
    return [structs.replace(row, tasks=None) for row in rows]


def test_the_first_snapshot_is_all_news() -> None:
    seen = agent("a", [agent_site("T2_X", seed=1), agent_site("T2_Y", None, slots=None, seed=1)])
    assert kept(changes(None, snapshot(5.0, [seen]))) == [
        HistoryRow(5.0, "a", "T2_X", "Normal", 1000, 1000, *JOBS),
        HistoryRow(5.0, "a", "T2_Y", None, None, None, *JOBS),
    ]


def test_only_what_changed_is_news() -> None:
    before = [agent_site(f"T2_{n}", seed=1) for n in range(4)]
    after = [
        agent_site("T2_0", seed=1),
        agent_site("T2_1", "Down", seed=1),
        agent_site("T2_2", slots=None, seed=1),
        agent_site("T2_3", seed=2),
    ]
    rows = changes(snapshot(1.0, [agent("a", before)]), snapshot(2.0, [agent("a", after)]))
    assert [row.site for row in rows] == ["T2_1", "T2_2", "T2_3"]


def test_what_history_does_not_keep_is_no_news() -> None:
    site = agent_site("T2_X")
    other = structs.replace(site, backlog={5: 5}, cms_name="other")
    assert changes(snapshot(1.0, [agent("a", [site])]), snapshot(2.0, [agent("a", [other])])) == []


def test_what_left_the_snapshot_ends() -> None:
    both = snapshot(1.0, [agent("a", 1), agent("b", [agent_site("T2_X"), agent_site("T2_Y")])])
    left = snapshot(2.0, [agent("b", [agent_site("T2_X")])])
    nothing = (None,) * 5
    assert changes(both, left) == [
        HistoryRow(2.0, "a", "T2_XX_Site0000", *nothing),
        HistoryRow(2.0, "b", "T2_Y", *nothing),
    ]


def test_what_no_database_takes_does_not_lose_the_rest() -> None:
    odd = [
        agent_site("T2_\0"),
        agent_site("T2_X", "Nor\0mal", slots=2**63, seed=1),
        agent_site("T2_Y", slots=2**63 - 1, seed=1),
    ]
    assert kept(changes(None, snapshot(1.0, [agent("a", odd)]))) == [
        HistoryRow(1.0, "a", "T2_X", "Nor\ufffdmal", None, None, *JOBS),
        HistoryRow(1.0, "a", "T2_Y", "Normal", 2**63 - 1, 2**63 - 1, *JOBS),
    ]


def test_a_task_type_that_changed_is_news_with_all_task_types() -> None:
    site = agent_site("T2_X", seed=1)
    other = structs.replace(site.tasks["Merge"], max_slots=7)
    changed = structs.replace(site, tasks={**site.tasks, "Merge": other})
    (row,) = changes(snapshot(1.0, [agent("a", [site])]), snapshot(2.0, [agent("a", [changed])]))
    assert {point.task: point.max_slots for point in row.tasks or ()} == dict.fromkeys(TASKS, 501) | {
        "Merge": 7
    }
