"""Shares: the sum over a team stays what a site may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcmon.model import Agent, AgentExpected, Snapshot, UpdaterSettings
from rcmon.model.control import Override
from rcmon.model.steering import AgentPlan, Effective, Mode, SiteControl, Word
from rcmon.rules.controlling import Orders, controls
from rcmon.rules.sharing import cores_for, split
from rcmon.rules.thresholds import LEAST_CPU, LEAST_IO

NAMES = tuple(f"agent{number}" for number in range(6))
SITE = "T2_XX_Site"
WEIGHTS = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1000), min_size=1)


@given(st.integers(0, 10_000_000), WEIGHTS)
def test_a_split_sums_to_the_whole_and_nobody_is_off_by_one(total, weights):
    shares = split(total, weights)
    assert shares.keys() == weights.keys()
    whole = sum(weights.values())
    if not whole:
        assert not any(shares.values())
        return
    assert sum(shares.values()) == total
    for name, share in shares.items():
        assert abs(share - total * (weights[name] / whole)) < 1.01


@given(st.integers(0, 200_000), st.integers(1, 30), st.integers(1, 100))
def test_the_cores_that_are_told_make_exactly_those_pending_slots(pending, agents, percent):
    """By the agent's own arithmetic, see `rcmon.rules.thresholds`."""
    cores = cores_for(pending, agents, percent)
    assert int(cores / agents * percent / 100) == pending or percent / agents / 100 > 1


@pytest.mark.parametrize("pending", [50, 137, 400, 1200])
def test_cores_as_they_were_seen_with_the_agents_own_updater(pending):
    assert cores_for(pending, 3, 50) == pending * 3 * 2


def shared(
    word: Word,
    weights: dict[str, float],
    *,
    agents: int | None = None,
    modes: dict[str, Mode] | None = None,
    overrides: tuple[Override, ...] = (),
) -> dict[str, tuple[SiteControl, str | None]]:
    """Tell what each agent of a team gets of a site, and what is in its way."""
    number = agents if agents is not None else len(weights)
    snapshot = Snapshot(
        1000.0,
        0.1,
        60.0,
        agents={
            name: Agent(name, 1000.0, drain=False, updater=UpdaterSettings(tier0=False)) for name in weights
        },
        expected={name: AgentExpected("t", number or None, (), tier0=False) for name in weights},
    )
    plans = {name: AgentPlan((modes or {}).get(name, "control"), weight) for name, weight in weights.items()}
    made = controls(snapshot, Orders(Effective({SITE: word}), (), overrides, plans))
    return {name: (one.sites[0], one.problem) for name, one in made.items()}


@given(
    st.integers(0, 100_000),
    st.integers(0, 100_000),
    st.dictionaries(st.sampled_from(NAMES), st.floats(0.01, 1000), min_size=2),
    st.integers(0, 3),
)
def test_the_sum_over_the_team_stays_what_the_site_may_have(cpu, io, weights, others):
    """Within rounding, and the least that WMCore gives any site; `others` are agents that nobody steers."""
    number = len(weights) + others
    made = shared(Word("enabled", cpu, io), weights, agents=number)
    assert not any(problem for _, problem in made.values())
    fair = cpu * len(weights) * 50 // (100 * number)
    got = sum(one.pending_slots or 0 for one, _ in made.values())
    assert fair <= got <= fair + LEAST_CPU * len(weights) or len(set(weights.values())) == 1
    running = sum(one.cpu or 0 for one, _ in made.values())
    assert abs(running - cpu * len(weights)) <= 2 * number * (len(weights) + 1)
    assert sum(one.io or 0 for one, _ in made.values()) == io * len(weights)


def test_weights_of_50_30_and_20_give_these_shares():
    made = shared(Word("enabled", 4000, 1000), {"a": 50, "b": 30, "c": 20})
    assert {name: one.pending_slots for name, (one, _) in made.items()} == {"a": 1000, "b": 600, "c": 400}
    assert {name: one.running_slots for name, (one, _) in made.items()} == {"a": 6000, "b": 3600, "c": 2400}
    assert {one.slots_from for one, _ in made.values()} == {"share"}


def test_equal_weights_leave_what_upstream_says():
    for one, _ in shared(Word("enabled", 4000, 1000), {"a": 2, "b": 2, "c": 2}).values():
        assert (one.cpu, one.io, one.slots_from) == (4000, 1000, "upstream")


def test_a_weight_of_zero_drains():
    made = shared(Word("enabled", 4000, 1000), {"a": 1, "b": 1, "c": 0})
    drained, problem = made["c"]
    assert (drained.state, drained.cpu, drained.io, problem) == ("Draining", LEAST_CPU, LEAST_IO, None)
    assert [made[name][0].pending_slots for name in "ab"] == [1000, 1000]
    assert {made[name][0].state for name in "ab"} == {"Normal"}


def test_a_closed_site_is_not_opened_by_a_weight():
    made = shared(Word("disabled", 4000, 1000), {"a": 1, "b": 0})
    assert {one.state for one, _ in made.values()} == {"Down"}


def test_only_those_who_obey_share():
    made = shared(Word("enabled", 3000, 300), {"a": 1, "b": 3, "c": 9}, modes={"c": "advise"})
    assert [made[name][0].pending_slots for name in "abc"] == [250, 750, 500]


def test_without_the_number_of_agents_a_share_is_not_guessed():
    made = shared(Word("enabled", 3000, 300), {"a": 1, "b": 3}, agents=0)
    for one, problem in made.values():
        assert problem is not None
        assert (one.cpu, one.io) == (3000, 300)


def override(**values: object) -> Override:
    given = {"site": SITE, "agent": None, "state": None, "running": None, "pending": None}
    return Override(
        **{**given, **values},  # type: ignore[arg-type]
        mode="latched",
        until=None,
        reason="r",
        subject="/CN=x",
        made=1.0,
        version=1,
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"state": "Draining"}, ("Draining", 3000, 500)),
        ({"state": "Down"}, ("Down", 3000, 500)),
        ({"running": 600}, ("Normal", 600, 100)),
        ({"pending": 137}, ("Normal", 822, 137)),
        ({"running": 600, "pending": 137}, ("Normal", 600, 100)),
        ({"running": 6000, "pending": 137}, ("Normal", 822, 137)),
        ({"running": 0}, ("Normal", 50, 50)),
    ],
)
def test_what_an_override_makes_of_a_site(values, expected):
    """An unmodified agent makes both kinds of slots of one number: it gets no more than either."""
    made = shared(Word("enabled", 3000, 300), dict.fromkeys("abc", 1.0), overrides=(override(**values),))
    for one, problem in made.values():
        assert (one.state, one.running_slots, one.pending_slots) == expected
        assert problem is None
        assert "override" in (one.state_from, one.slots_from)


def test_an_override_goes_before_what_is_held_and_shared():
    made = shared(
        Word("drain", 3000, 300), {"a": 1, "b": 3}, overrides=(override(state="Normal", agent="a"),)
    )
    assert [(one.state, one.state_from) for one, _ in made.values()] == [
        ("Normal", "override"),
        ("Draining", "upstream"),
    ]
