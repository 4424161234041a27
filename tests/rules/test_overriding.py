"""Which override holds: an agent's own before the site's, value by value; one that has ended never."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rcmon.model import STEERED_STATES, Override
from rcmon.rules.overriding import by_place, is_over, overriding

NOW = 1.8e9
SITES, AGENTS = ("T1_XX_A", "T2_XX_B"), ("a", "b")
VALUES = ("state", "running", "pending")


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    mode = draw(st.sampled_from(("until", "latched", "toggle")))
    slots = st.none() | st.integers(0, 10)
    return Override(
        site=draw(st.sampled_from(SITES)),
        agent=draw(st.none() | st.sampled_from(AGENTS)),
        state=draw(st.none() | st.sampled_from(STEERED_STATES)),
        running=draw(slots),
        pending=draw(slots),
        mode=mode,
        until=NOW + draw(st.sampled_from((-1e6, -1.0, 0.0, 1.0, 1e6))) if mode == "until" else None,
        reason="r",
        subject="/CN=o",
        made=NOW - 2e6,
        version=draw(st.integers(1, 100)),
    )


SETS = st.lists(overrides(), max_size=8, unique_by=lambda one: one.spot)


def expected(held: Sequence[Override], site: str, agent: str, value: str) -> Override | None:
    """Look through all of them: the rule, written another way."""
    fitting = [
        one
        for one in held
        if one.site == site
        and one.agent in (None, agent)
        and getattr(one, value) is not None
        and (one.mode != "until" or (one.until is not None and one.until > NOW))
    ]
    return max(fitting, key=lambda one: one.agent is not None, default=None)


@given(SETS)
def test_each_value_is_the_agents_own_before_the_sites(held: list[Override]) -> None:
    placed = by_place(held)
    for site in SITES:
        for agent in (*AGENTS, "unknown"):
            found = overriding(placed, site, agent, NOW)
            for value in VALUES:
                assert getattr(found, value) is expected(held, site, agent, value)


@given(SETS)
def test_what_has_ended_never_holds_and_what_is_elsewhere_neither(held: list[Override]) -> None:
    placed = by_place(held)
    for site in SITES:
        for agent in AGENTS:
            found = overriding(placed, site, agent, NOW)
            for one in (found.state, found.running, found.pending):
                assert one is None or (one.site == site and one.agent in (None, agent))
                assert one is None or not is_over(one, NOW)


@given(SETS, st.sampled_from(AGENTS))
def test_an_agents_own_override_changes_nothing_in_another(held: list[Override], agent: str) -> None:
    without = by_place(one for one in held if one.agent != agent)
    for site in SITES:
        for other in (*AGENTS, "unknown"):
            if other != agent:
                assert overriding(by_place(held), site, other, NOW) == overriding(without, site, other, NOW)


@given(SETS)
def test_the_order_in_which_they_are_read_does_not_matter(held: list[Override]) -> None:
    assert by_place(held) == by_place(reversed(held))


def test_it_ends_at_its_time_and_not_before() -> None:
    one = Override("S", None, "Down", None, None, "until", NOW, "r", "/CN=o", NOW - 60, 1)
    assert not is_over(one, NOW - 0.001)
    assert is_over(one, NOW)
    latched = Override("S", None, "Down", None, None, "latched", None, "r", "/CN=o", NOW - 60, 1)
    assert not is_over(latched, 1e18)
