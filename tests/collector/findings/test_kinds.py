"""Each kind of what is found in a whole snapshot: where it holds, and where it does not."""

from msgspec import structs

from rcmon.collector.findings import told
from rcmon.model import (
    AgentExpected,
    AgentReport,
    Component,
    Override,
    Pressure,
    SiteExpected,
    SiteNames,
    SiteStatus,
    Snapshot,
    Watching,
    Worker,
)
from tests.collector.findings.made import NOW, about, agent, found, grid, site, unjudged

X = "T2_DE_X"
DAY = 86400.0


def many(state: str = "Normal", slots: int = 100, number: int = 20) -> list:
    return [site(f"T2_DE_{n:02}", state, slots=slots) for n in range(number)]


def beating(at: float) -> tuple[Component, ...]:
    return (Component("JobSubmitter", 1, 7200.0, (Worker("w", "Running", at, 60.0, 1.0),)),)


def test_an_agent_that_holds_a_site_in_another_state_than_the_board_gives():
    board = SiteStatus("drain", None, None, None, None, None, None)
    snapshot = grid(agent([site()]), sites={X: board})
    expected = {"a": AgentExpected(sites={X: SiteExpected("Draining")})}
    (one,) = found("state_against_board", structs.replace(snapshot, expected=expected))
    assert (one.agent, one.site, one.severity) == ("a", X, "warning")
    assert one.message == "is Normal, should be Draining (the board says drain)"
    same = {"a": AgentExpected(sites={X: SiteExpected("Normal"), "T2_ELSE": SiteExpected("Down")})}
    assert found("state_against_board", structs.replace(snapshot, expected=same)) == []


def test_jobs_that_run_at_a_closed_site_and_too_few_to_tell():
    sites = [site(X, "Down", running=10), site("T2_A", "Aborted", running=9), site("T2_B", running=99)]
    assert about("site_closed_running", grid(agent(sites))) == [{"agent": "a", "site": X, "count": 10}]
    assert unjudged(grid(agent(sites))) == 1


def test_a_site_that_drains_for_more_than_two_days():
    sites = [
        site(X, "Draining", state_time=NOW - 2 * DAY - 1),
        site("T2_A", "Draining", state_time=NOW - 2 * DAY),
        site("T2_B", "Draining", state_time=None),
        site("T2_C", "Down", state_time=NOW - 9 * DAY),
    ]
    assert about("draining_long", grid(agent(sites))) == [{"agent": "a", "site": X, "count": 1}]
    assert unjudged(grid(agent(sites))) == 1


def test_pending_jobs_of_which_none_runs_in_any_agent():
    idle, busy = agent([site(pending=10)]), agent([site(running=1)], "b")
    assert about("pending_not_running", grid(idle)) == [{"agent": None, "site": X, "count": 10}]
    assert about("pending_not_running", grid(idle, busy)) == []
    assert about("pending_not_running", grid(agent([site(pending=9)]))) == []
    assert unjudged(grid(agent([site(pending=9)]))) == 1


def test_thresholds_that_are_all_zero():
    sites = [site(threshold=0), site("T2_A", "Down", threshold=0), site("T2_B", threshold=None)]
    assert about("thresholds_zero", grid(agent(sites))) == [{"agent": "a", "site": X, "count": 1}]


def test_slots_that_fall_by_more_than_half_in_one_cycle():
    before = grid(agent(many(slots=100)), at=NOW - 60)
    (one,) = found("thresholds_collapsed", grid(agent(many(slots=49))), before)
    assert (one.agent, one.count, one.severity) == ("a", 20, "critical")
    assert one.message == "running slots fell from 2000 to 980 in one cycle, at 20 of 20 sites"
    assert found("thresholds_collapsed", grid(agent(many(slots=50))), before) == []
    assert (
        found("thresholds_collapsed", grid(agent(many(slots=49), at=NOW + DAY), at=NOW + DAY), before) == []
    )


def test_many_sites_that_go_down_in_one_cycle():
    before = grid(agent(many()), at=NOW - 60)
    (one,) = found("sites_down_at_once", grid(agent(many("Down", number=5) + many()[5:])), before)
    assert (one.agent, one.count) == ("a", 5)
    assert "T2_DE_00 from Normal to Down" in one.message
    assert found("sites_down_at_once", grid(agent(many("Down", number=4) + many()[4:])), before) == []
    down = grid(agent(many("Down")), at=NOW - 60)
    assert found("sites_down_at_once", grid(agent(many("Down"))), down) == []


def test_an_agent_of_which_nothing_is_heard():
    report = AgentReport(NOW - 9999, None, None, None, None)
    for silent in (
        grid(agent([site()], components=beating(NOW - 3601))),
        grid(agent([site()], at=NOW - 301)),
        grid(agent([site()]), reports={"a": report}),
    ):
        assert about("agent_silent", silent) == [{"agent": "a", "site": None, "count": 1}]
    assert about("agent_silent", grid(agent([site()], components=beating(NOW - 3600)))) == []


def test_a_backlog_of_more_than_100_000():
    assert about("backlog_large", grid(agent([], jobs_by_state={"created": 100_001})))[0]["count"] == 100_001
    assert about("backlog_large", grid(agent([], jobs_by_state={"created": 100_000}))) == []


def test_a_source_whose_data_are_old():
    snapshot = grid(agent([site()]))
    (state,) = snapshot.sources
    old = structs.replace(state, stale=True, up=False, last_success=NOW - 301)
    (one,) = found("source_stale", structs.replace(snapshot, sources=(old,)))
    assert (one.source, one.message) == ("a", "source a: its data are 301 s old")
    assert found("source_stale", snapshot) == []


def test_a_clock_that_is_ahead():
    report = AgentReport(NOW + 31, None, None, None, None, received=NOW)
    for ahead in (
        grid(agent([site()], components=beating(NOW + 31))),
        grid(agent([site()]), reports={"a": report}),
    ):
        assert about("clock_skew", ahead) == [{"agent": "a", "site": None, "count": 1}]
    assert about("clock_skew", grid(agent([site()], components=beating(NOW + 30)))) == []


def test_storage_that_the_catalogue_and_an_agent_name_differently():
    snapshot = grid(agent([site(pending=7)]), names={X: SiteNames(None, ("X_Disk", "Y_Disk"))})
    (one,) = found("pnn_drift", snapshot)
    assert one.message == "the agent lacks Y_Disk; 7 jobs wait for the site"
    assert found("pnn_drift", grid(agent([site()]), names={X: SiteNames(None, ("X_Disk",))})) == []
    assert found("pnn_drift", grid(agent([site()]))) == []


def test_a_state_that_changes_too_often():
    snapshot = None
    for number in range(5):
        state = "Normal" if number % 2 else "Down"
        assert snapshot is None or found("state_flapping", snapshot) == []
        at = NOW + 60 * number
        snapshot = grid(agent([site(state=state)], at=at), at=at, previous=snapshot)
    assert snapshot is not None
    assert about("state_flapping", snapshot) == [{"agent": "a", "site": X, "count": 4}]
    later = NOW + 2 * DAY
    assert grid(agent([site(state="Down")], at=later), at=later, previous=snapshot).turns == {}


def test_a_drain_mode_that_was_turned_on_is_told_for_an_hour():
    first = grid(agent([], drain=False), at=NOW - 60)
    snapshot = told(grid(agent([], drain=True)), first, Watching())
    assert [(one.kind, one.message) for one in snapshot.findings] == [("drain_flipped", "drains now")]
    for minute in range(1, 61):
        at = NOW + 60 * minute
        snapshot = told(grid(agent([], drain=True, at=at), at=at), snapshot, Watching())
        assert [one.last_seen for one in snapshot.findings] == ([NOW] if minute < 60 else [])


def test_pending_jobs_that_the_batch_system_does_not_have():
    sites = [site(pending=20), site("T2_A", pending=20), site("T2_B", pending=9)]
    here = {X: {"Production": Pressure(9, 0, 0)}, "T2_A": {"Production": Pressure(10, 0, 0)}}
    snapshot = grid(agent(sites), pressure={"a": here})
    assert about("phantom_pending", snapshot) == [{"agent": "a", "site": X, "count": 11}]
    assert about("phantom_pending", grid(agent(sites))) == []


def overridden(until: float | None, made: float = NOW - DAY, behind: float = 0.0) -> Snapshot:
    one = Override(X, None, "Down", None, 0, "until", until, "cooling", "/CN=o", made, 1)
    return structs.replace(grid(agent([site()])), overrides=(one,), believed=NOW - behind)


def test_an_override_that_ends_within_12_hours_and_within_one():
    (one,) = found("override_ending", overridden(NOW + 12 * 3600))
    assert (one.agent, one.site, one.severity) == (None, X, "info")
    assert one.message.endswith("state Down, pending slots 0, set by /CN=o (cooling)")
    assert found("override_ending", overridden(NOW + 12 * 3600 + 1)) == []
    assert found("override_ending_soon", overridden(NOW + 3601)) == []
    (one,) = found("override_ending_soon", overridden(NOW + 3600))
    assert one.severity == "warning"
    for kind in ("override_ending", "override_ending_soon"):
        assert found(kind, overridden(None)) == []
        assert found(kind, overridden(NOW)) == []


def test_an_override_that_was_made_for_a_short_time_is_not_told_at_once():
    assert found("override_ending", overridden(NOW + 12 * 3600, made=NOW)) == []
    assert len(found("override_ending", overridden(NOW + 12 * 3600 - 5, made=NOW - 6))) == 1
    assert found("override_ending_soon", overridden(NOW + 3600, made=NOW)) == []


def test_an_override_that_is_over_by_a_clock_that_jumped():
    (one,) = found("override_end_doubtful", overridden(NOW - 60, behind=DAY))
    assert (one.site, one.severity) == (X, "warning")
    assert "86400 s forward" in one.message
    assert found("override_end_doubtful", overridden(NOW + 60, behind=DAY)) == []
    assert found("override_end_doubtful", overridden(NOW - 60)) == []
