"""What a change of overrides would do: never 0 for what is not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcmon.model import AgentExpected, Override, Place, SiteExpected
from rcmon.model.steering import GuardSettings
from rcmon.rules.forcing import Grid, needs_force
from rcmon.rules.foreseeing import Foreseen, OverridesMove, SiteValues, foresee
from rcmon.rules.overriding import by_place

NOW = 1.8e9
EXPECTED = {"a": AgentExpected(sites={"S": SiteExpected("Normal", "Normal", 70, 35)})}


def override(
    site: str = "S", state: str | None = "Draining", agent: str | None = None, **slots: int
) -> Override:
    return Override(
        site=site,
        agent=agent,
        state=state,  # type: ignore[arg-type]
        running=slots.get("running"),
        pending=slots.get("pending"),
        mode="latched",
        until=None,
        reason="r",
        subject="/CN=o",
        made=NOW,
        version=1,
    )


def place(agent: str, state: str | None, unique_idle: int | None = 7, slots: int | None = 100) -> Place:
    return Place(agent, state, None, slots, slots, 0, 0, 0.2, (), (), unique_idle=unique_idle)


def foreseen(held: Place, before: list[Override], after: list[Override]) -> list[Foreseen]:
    move = OverridesMove(by_place(before), by_place(after), NOW)
    return list(foresee(move, [("S", None)], {"S": {held.agent: held}}, EXPECTED))


@pytest.mark.parametrize(
    ("state", "becomes", "rebuilt", "killed"),
    [
        ("Normal", "Draining", True, 7),
        ("Normal", "Down", True, 7),
        ("Draining", "Down", True, 7),
        ("Draining", "Draining", False, 0),
        ("Normal", "Normal", False, 0),
        ("Down", "Normal", True, 0),
        ("Aborted", "Normal", False, 0),
        (None, "Down", None, None),
    ],
)
def test_which_change_of_state_costs_what(
    state: str | None, becomes: str, rebuilt: bool | None, killed: int | None
) -> None:
    (one,) = foreseen(place("a", state), [], [override(state=becomes)])
    assert (one.after.state, one.cache_rebuilt, one.idle_jobs_killed) == (becomes, rebuilt, killed)
    (one,) = foreseen(place("a", state, None), [], [override(state=becomes)])
    assert one.idle_jobs_killed == (None if killed != 0 else 0)


def test_what_an_override_leaves_becomes_what_is_expected_or_is_not_known() -> None:
    (one,) = foreseen(place("a", "Down"), [override(state="Down", running=5)], [])
    assert one.after == SiteValues("Normal", 70, 100)
    (one,) = foreseen(place("b", "Down"), [override(state="Down", running=5)], [])
    assert one.after == SiteValues(None, None, 100)
    assert (one.cache_rebuilt, one.idle_jobs_killed) == (None, None)


def test_what_sets_the_same_values_changes_nothing() -> None:
    assert foreseen(place("a", "Normal"), [override()], [override()]) == []
    own = override(agent="a", state="Normal")
    assert foreseen(place("a", "Normal"), [own], [own, override()]) == []


SITES = st.sets(st.integers(0, 19), max_size=20)


@given(SITES, SITES, SITES)
def test_more_than_the_guards_share_of_sites_needs_a_second_word(
    earlier: set[int], now: set[int], then: set[int]
) -> None:
    """By what was there a window ago, so that many small steps are one large one."""
    grid = Grid(20, lambda _: {}, GuardSettings(share=0.1, at_least=1))

    def placed(numbers: set[int]) -> dict[tuple[str, str | None], Override]:
        return by_place(override(f"S{number}") for number in numbers)

    asked = needs_force(placed(earlier), placed(now), placed(then), grid)
    assert (asked is not None) == (len(then - earlier) > 2 and not (then - earlier) <= now)


def test_slots_count_where_over_half_is_lost_in_some_agent() -> None:
    held = {"a": place("a", "Normal", slots=100), "b": place("b", "Normal", slots=None)}
    grid = Grid(10, lambda _: held, GuardSettings(share=0.0, at_least=0))
    for fewer, asked in (
        (override(state=None, running=49), True),
        (override(state=None, running=50), False),
        (override(state="Normal", pending=49), True),
        (override(state=None, agent="b", running=0), False),
        (override(state=None, agent="a", running=0), True),
    ):
        assert (needs_force({}, {}, by_place([fewer]), grid) is not None) is asked
