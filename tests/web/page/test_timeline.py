"""The states of a site over time, as far as the journal tells, and no farther."""

from typing import Any

from rcmon.model.journal import JournalEntry
from rcmon.timestamps import iso
from rcmon.web.page.timeline import Line, Stretch, Window, timeline

DAY = Window(since=0.0, until=1000.0, kept=0.0)


def entry(time: float, old: Any, new: Any, kind: str = "state", agent: str = "a") -> JournalEntry:
    return JournalEntry(time, kind, old, new, agent=agent, site="s")


def state(name: str | None) -> dict[str, Any]:
    return {"state": name}


def shown(lines: Any) -> list[tuple[str, float, float]]:
    (line,) = lines
    return [(one.state, one.left, one.width) for one in line.stretches]


def test_what_held_before_the_first_change_is_what_that_says() -> None:
    lines = timeline([entry(250, state("Normal"), state("Down"))], {"a": "Down"}, DAY)
    assert shown(lines) == [("Normal", 0, 25), ("Down", 25, 75)]
    assert [one.begun for one in lines[0].stretches] == [False, True]


def test_without_a_change_it_is_as_now() -> None:
    assert shown(timeline([], {"a": "Draining"}, DAY)) == [("Draining", 0, 100)]


def test_what_is_older_than_the_journal_is_not_drawn() -> None:
    kept = Window(0.0, 1000.0, kept=400.0)
    assert shown(timeline([], {"a": "Normal"}, kept)) == [("Normal", 40, 60)]
    nothing = Window(0.0, 1000.0, kept=None)
    assert timeline([], {"a": "Normal"}, nothing) == [Line("a", ())]
    later = Window(0.0, 1000.0, kept=1000.0)
    assert timeline([], {"a": "Normal"}, later) == [Line("a", ())]


def test_a_change_before_the_window_tells_what_held_at_its_begin() -> None:
    window = Window(500.0, 1000.0, kept=0.0)
    entries = [entry(100, state("Normal"), state("Down")), entry(750, state("Down"), state("Normal"))]
    assert shown(timeline(entries, {"a": "Normal"}, window)) == [("Down", 0, 50), ("Normal", 50, 50)]


def test_a_change_behind_the_window_is_not_in_it() -> None:
    entries = [entry(100, state("Normal"), state("Down")), entry(2000, state("Down"), state("Normal"))]
    assert shown(timeline(entries, {"a": "Down"}, DAY)) == [("Normal", 0, 10), ("Down", 10, 90)]


def test_an_agent_that_lost_the_site_did_not_have_it_since() -> None:
    gone = [entry(500, state("Normal"), None, "site")]
    assert shown(timeline(gone, {}, DAY)) == [("Normal", 0, 50), ("absent", 50, 50)]


def test_an_agent_that_got_the_site_did_not_have_it_before() -> None:
    got = [entry(500, None, {"state": "Normal", "running_slots": 5}, "site")]
    assert shown(timeline(got, {"a": "Normal"}, DAY)) == [("absent", 0, 50), ("Normal", 50, 50)]


def test_a_state_that_is_not_known_is_said_to_be_unknown() -> None:
    entries = [entry(500, state("Normal"), state(None))]
    assert shown(timeline(entries, {"a": None}, DAY)) == [("Normal", 0, 50), ("unknown", 50, 50)]


def test_other_kinds_and_the_same_state_again_change_nothing() -> None:
    entries = [
        entry(300, {"running_slots": 1}, {"running_slots": 2}, "slots"),
        entry(400, state("Normal"), state("Normal")),
    ]
    assert shown(timeline(entries, {"a": "Normal"}, DAY)) == [("Normal", 0, 100)]


def test_each_agent_has_its_line_in_the_order_of_names() -> None:
    lines = timeline([entry(500, None, state("Down"), "site", "b")], {"c": "Normal", "a": None}, DAY)
    assert [line.agent for line in lines] == ["a", "b", "c"]
    assert lines[0].stretches == [Stretch("unknown", iso(0), iso(1000), 0, 100, begun=False)]


def test_states_are_told_by_more_than_their_colour() -> None:
    entries = [
        entry(time, state(old), state(new))
        for time, old, new in ((100, "Normal", "Draining"), (200, "Draining", "Down"), (300, "Down", None))
    ]
    (line,) = timeline(entries, {"a": None}, DAY)
    heights = [one.height for one in line.stretches]
    assert [one.state for one in line.stretches] == ["Normal", "Draining", "Down", "unknown"]
    assert len(set(heights)) == 4
    assert heights[0] < heights[1] < heights[2]
