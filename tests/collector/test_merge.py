"""How polls and an earlier snapshot become one snapshot."""

from collections.abc import Mapping, Sequence

import pytest

from rcmon.collector.merge import merge, owners
from rcmon.collector.polling import Heard
from rcmon.model import Agent, Batch, Jobs, SiteStatus, Snapshot, Upstream, tier
from rcmon.sources.base import Poll
from tests.store.made import TASKS, agent, agent_site

ERROR = "the database is not there"


def good(source: str, *agents: Agent, at: float = 1000.0, kind: str = "test") -> Poll:
    batch = Batch(source, kind, at, 0.5, agents)
    return Poll(source=source, kind=kind, started=at, duration=0.5, batch=batch, error=None)


def bad(source: str, *, at: float = 1000.0, kind: str = "test") -> Poll:
    return Poll(source=source, kind=kind, started=at, duration=0.5, batch=None, error=ERROR)


def cycle(
    polls: Sequence[Poll], previous: Snapshot | None = None, *, at: float = 1000.0, stale_after: float = 300
) -> Snapshot:
    heard = [Heard(poll.source, poll.kind, (poll,)) for poll in polls]
    return merge(heard, previous, at, 0.25, interval=60.0, stale_after=stale_after)


def seen(name: str, states: Mapping[str, str | None], slots: int | None = 100) -> Agent:
    return agent(name, [agent_site(site, state, slots=slots) for site, state in states.items()])


def test_a_snapshot_tells_its_times_and_its_sources() -> None:
    snapshot = cycle([good("one", agent("a")), bad("two")])
    assert (snapshot.started, snapshot.duration, snapshot.interval) == (1000.0, 0.25, 60.0)
    one, two = snapshot.sources
    assert (one.name, one.kind, one.up, one.stale, one.last_success) == ("one", "test", True, False, 1000.0)
    assert (one.duration, one.error, one.errors_total, one.agents) == (0.5, None, 0, ("a",))
    assert (two.up, two.stale, two.last_success, two.duration) == (False, False, None, 0.5)
    assert (two.error, two.errors_total, two.agents) == (ERROR, 1, ())


def test_a_source_that_fails_keeps_its_last_data_and_hides_nobody() -> None:
    first = cycle([good("one", agent("a")), good("two", agent("b"))])
    second = cycle([good("one", agent("a", 2), at=1060), bad("two", at=1060)], first, at=1060)
    assert second.agents["b"] is first.agents["b"]
    assert len(second.agents["a"].sites) == 2
    state = second.sources[1]
    assert (state.up, state.stale, state.last_success, state.errors_total) == (False, True, 1000.0, 1)
    third = cycle([bad("one", at=1120), bad("two", at=1120)], second, at=1120)
    assert [state.last_success for state in third.sources] == [1060.0, 1000.0]
    assert [state.errors_total for state in third.sources] == [1, 2]
    assert list(third.agents) == ["a", "b"]


def test_data_that_are_too_old_are_dropped_not_frozen() -> None:
    snapshot = cycle([good("one", agent("a"))])
    snapshot = cycle([bad("one")], snapshot, at=1300.0)
    assert list(snapshot.agents) == ["a"]
    snapshot = cycle([bad("one")], snapshot, at=1300.1)
    assert snapshot.agents == snapshot.sites == {}
    state = snapshot.sources[0]
    assert (state.stale, state.last_success, state.errors_total, state.agents) == (False, 1000.0, 2, ())
    snapshot = cycle([bad("one")], snapshot, at=1301.0, stale_after=9999)
    assert snapshot.agents == {}  # what is gone does not come back
    snapshot = cycle([good("one", agent("a"), at=1400.0)], snapshot, at=1400.0)
    assert snapshot.sources[0].errors_total == 3
    assert list(snapshot.agents) == ["a"]


def test_a_clock_that_was_set_back_drops_nothing() -> None:
    first = cycle([good("one", agent("a"))])
    assert list(cycle([bad("one")], first, at=10.0).agents) == ["a"]


def test_an_agent_that_a_source_gives_no_more_vanishes() -> None:
    first = cycle([good("one", agent("a"), agent("b"))])
    assert list(cycle([good("one", agent("b"))], first).agents) == ["b"]


def test_a_source_that_is_not_configured_any_more_vanishes_at_once() -> None:
    first = cycle([good("one", agent("a")), good("two", agent("b"))])
    second = cycle([bad("two")], first)
    assert [state.name for state in second.sources] == ["two"]
    assert list(second.agents) == ["b"]


def test_a_source_of_another_kind_under_the_same_name_is_another_source() -> None:
    first = cycle([good("one", agent("a"))])
    second = cycle([bad("one", kind="other")], first)
    assert second.agents == {}
    assert second.sources[0].errors_total == 1
    assert second.sources[0].last_success is None


def test_of_sources_that_claim_one_agent_the_first_configured_has_it() -> None:
    mine, other = agent("a", 1), agent("a", 2)
    first = cycle([good("one", mine), good("two", other)])
    assert first.agents["a"] is mine
    assert [state.agents for state in first.sources] == [("a",), ("a",)]
    assert owners(first.sources) == {"a": "one"}
    second = cycle([bad("one"), good("two", other)], first)
    assert second.agents["a"] is mine
    third = cycle([bad("one"), good("two", other)], second, at=2000.0)
    assert third.agents["a"] is other  # the first has nothing to say any more


def test_a_failed_source_never_takes_over_what_another_source_gave() -> None:
    first = cycle([good("one", agent("a", 1)), good("two", agent("a", 2), agent("b"))])
    second = cycle([bad("two")], first)
    assert list(second.agents) == ["b"]
    assert second.sources[0].agents == ("b",)


def test_everything_is_sorted() -> None:
    snapshot = cycle([good("two", seen("b", {"T2_B": "Normal", "T2_A": "Down"})), good("one", seen("a", {}))])
    assert [state.name for state in snapshot.sources] == ["two", "one"]  # as configured
    assert list(snapshot.agents) == ["a", "b"]
    assert list(snapshot.sites) == ["T2_A", "T2_B"]


@pytest.mark.parametrize(
    ("states", "agreed", "by_state"),
    [
        (["Normal", "Normal"], "Normal", {"Normal": ("a0", "a1")}),
        (["Normal", "Down"], None, {"Down": ("a1",), "Normal": ("a0",)}),
        (["Normal", None], "Normal", {"Normal": ("a0",)}),
        ([None, None], None, {}),
    ],
)
def test_a_site_has_a_state_where_all_agents_that_know_it_agree(
    states: Sequence[str | None], agreed: str | None, by_state: Mapping[str, tuple[str, ...]]
) -> None:
    polls = [good(f"s{n}", seen(f"a{n}", {"T2_X": state})) for n, state in enumerate(states)]
    site = cycle(polls).sites["T2_X"]
    assert (site.state, dict(site.states)) == (agreed, by_state)
    assert list(site.agents) == [f"a{n}" for n in range(len(states))]


def test_a_sum_is_of_what_is_known_and_unknown_where_nothing_is() -> None:
    polls = [
        good("one", seen("a", {"T2_X": "Normal", "T2_Y": "Normal"}, slots=None)),
        good("two", seen("b", {"T2_X": "Normal"}, slots=0)),
        good("three", seen("c", {"T2_X": "Normal"}, slots=70)),
    ]
    sites = cycle(polls).sites
    assert (sites["T2_X"].running_slots, sites["T2_X"].pending_slots) == (70, 70)
    assert (sites["T2_Y"].running_slots, sites["T2_Y"].pending_slots) == (None, None)


def test_a_sites_jobs_are_the_sum_over_agents_and_task_types() -> None:
    views = [agent_site("T2_X", seed=seed) for seed in (5, 11)]
    polls = [good(f"s{n}", agent(f"a{n}", [view])) for n, view in enumerate(views)]
    expected = Jobs(7 * (5 + 11), 7 * 3 * (5 + 11), 2 * sum(range(len(TASKS))))
    assert cycle(polls).sites["T2_X"].jobs == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("T0_CH_CERN", "T0"),
        ("T1_US_FNAL_Disk", "T1"),
        ("T2_CH_CERN_HLT", "T2"),
        ("T3_US_X", "T3"),
        ("T4_US_X", None),
        ("T2", None),
        ("T2_CH_", None),
        ("T2_ch_CERN", None),
        ("XT2_CH_CERN", None),
        ("", None),
    ],
)
def test_a_tier_is_the_first_part_of_a_grid_sites_name(name: str, expected: str | None) -> None:
    assert tier(name) == expected


def told(source: str, *names: str, at: float = 1000.0) -> Poll:
    status = SiteStatus("enabled", None, at, None, 100, 50, at)
    batch = Batch(source, "test", at, 0.5, (), Upstream(sites=dict.fromkeys(names, status)))
    return Poll(source=source, kind="test", started=at, duration=0.5, batch=batch, error=None)


def test_what_is_said_beside_agents_is_kept_dropped_and_marked_like_their_data() -> None:
    first = cycle([told("one", "T2_A_B"), good("two", agent("a"))])
    assert list(first.given) == ["one"]
    second = cycle([bad("one", at=1060), good("two", agent("a"), at=1060)], first, at=1060)
    assert second.given == first.given
    assert [state.stale for state in second.sources] == [True, False]
    third = cycle([bad("one", at=1600), good("two", agent("a"), at=1600)], second, at=1600)
    assert third.given == {}
    assert third.upstream() == Upstream()
    assert third.sources[0].stale is False


def test_of_two_that_speak_of_one_site_the_first_configured_has_it() -> None:
    snapshot = cycle([told("one", "T2_A_B"), told("two", "T2_A_B", "T2_C_D", at=990)])
    sites = snapshot.upstream().sites
    assert sites is not None
    assert {name: status.status_time for name, status in sites.items()} == {"T2_A_B": 1000, "T2_C_D": 990}
