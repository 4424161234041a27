"""What an agent is told where little is known of it, or what it is configured with makes no sense."""

from collections.abc import Mapping

import pytest

from rcmon.model import Agent, AgentExpected, Override, Snapshot, UpdaterSettings
from rcmon.model.steering import AgentControl, AgentPlan, Effective, Word
from rcmon.rules import controlling
from rcmon.rules.controlling import Orders, controls
from rcmon.rules.thresholds import LEAST_CPU, LEAST_IO

PLAIN, T1, NUMBERLESS, TESTED = "T2_XX_Plain", "T1_XX_One", "T2_XX_Numberless", "T2_XX_Tested"
GOOD = {
    T1: Word("enabled", 1000, 300),
    NUMBERLESS: Word("enabled", None, None),
    PLAIN: Word("enabled", 1000, 300),
    TESTED: Word("test", 1000, 300),
}
KNOWN = AgentExpected("t", 3)
UNKNOWN = AgentExpected(None, None)


def told(
    plans: Mapping[str, AgentPlan],
    expected: AgentExpected = KNOWN,
    *,
    drain: bool = False,
    tier0: bool = False,
) -> dict[str, AgentControl]:
    """Tell what agents get that are all alike but for their plans."""
    settings = UpdaterSettings(tier0=tier0)
    snapshot = Snapshot(
        1000.0,
        0.1,
        60.0,
        agents={name: Agent(name, 1000.0, drain=drain, updater=settings) for name in plans},
        expected=dict.fromkeys(plans, expected),
    )
    return controls(snapshot, Orders(Effective(GOOD), plans=plans))


@pytest.mark.parametrize("mode", ["control", "advise", "observe"])
@pytest.mark.parametrize("expected", [KNOWN, UNKNOWN], ids=["known", "unknown"])
@pytest.mark.parametrize("drain", [False, True], ids=["works", "drains"])
@pytest.mark.parametrize("tier0", [False, True], ids=["production", "tier0"])
@pytest.mark.parametrize("everywhere", [False, True], ids=["there", "everywhere"])
def test_a_weight_of_zero_drains_whatever_else_is_known(mode, expected, drain, tier0, everywhere):
    """An operator said that nothing is to run there; a source that is lost must not open it again."""
    for site in GOOD:
        plan = AgentPlan(mode, 0.0) if everywhere else AgentPlan(mode, sites={site: 0.0})
        control = told({"a": plan, "b": AgentPlan("control")}, expected, drain=drain, tier0=tier0)["a"]
        found = {one.site: one for one in control.sites}[site]
        assert (found.status, found.state, found.state_from) == ("drain", "Draining", "share")
        assert found.reason == "its weight is 0"
        if site != NUMBERLESS:
            assert (found.cpu, found.io, found.slots_from) == (LEAST_CPU, LEAST_IO, "share")
        else:
            assert (found.cpu, found.io) == (None, None), "no number may be made where none was ever known"


@pytest.mark.parametrize(
    ("mine", "another"), [(0.1, None), (0.1, 1.0), (1.0, 0.1)], ids=["alone", "little", "the rest"]
)
def test_a_weight_is_not_passed_over_where_the_team_is_not_known(mine, another):
    others = {} if another is None else {"b": AgentPlan("control", another, "t")}
    control = told({"a": AgentPlan("control", mine), **others}, UNKNOWN)["a"]
    assert control.problem == "weights are set, and nothing says of which team it is"


def test_without_any_weight_the_team_need_not_be_known():
    for control in told({"a": AgentPlan("control"), "b": AgentPlan("control")}, UNKNOWN).values():
        assert control.problem is None
        assert {one.slots_from for one in control.sites} == {"upstream"}


def test_a_document_says_for_which_mode_it_was_made():
    made = told({"a": AgentPlan("control"), "b": AgentPlan("advise")})
    assert {name: one.mode for name, one in made.items()} == {"a": "control", "b": "advise"}


PENDING = Override(PLAIN, None, None, None, 200, "latched", None, "r", "/CN=x", 1.0, 1)


def two(overrides: tuple[Override, ...] = (), heavier: float = 1.0) -> dict[str, AgentControl]:
    """Tell what two agents get, of which one is configured to set no pending slots."""
    settings = {
        "wrong": UpdaterSettings(tier0=False, pending_slots_site_percent=0),
        "right": UpdaterSettings(),
    }
    snapshot = Snapshot(
        1000.0,
        0.1,
        60.0,
        agents={name: Agent(name, 1000.0, drain=False, updater=one) for name, one in settings.items()},
        expected=dict.fromkeys(settings, AgentExpected("t", 2)),
    )
    plans = {"wrong": AgentPlan("control"), "right": AgentPlan("control", heavier)}
    return controls(snapshot, Orders(Effective(GOOD), (), overrides, plans))


@pytest.mark.parametrize(
    ("overrides", "heavier"), [((PENDING,), 1.0), ((), 3.0)], ids=["override", "weights"]
)
def test_no_per_cent_is_the_problem_of_that_agent_alone(overrides, heavier):
    made = two(overrides, heavier)
    assert (
        made["wrong"].problem == "its pending_slots_site_percent is 0: no cores make it set any pending slots"
    )
    assert made["right"].problem is None
    changed = [one for one in made["right"].sites if one.slots_from != "upstream"]
    assert changed


def test_no_per_cent_is_no_problem_where_nothing_is_reckoned_with_it():
    assert [one.problem for one in two().values()] == [None, None]


def test_an_agent_that_nothing_can_be_concluded_for_is_alone_with_it(monkeypatch, caplog):
    def faulty(site, member):
        if member.name == "wrong":
            raise ArithmeticError("a fault of ours")
        return made(site, member)

    made = controlling._made
    monkeypatch.setattr(controlling, "_made", faulty)
    found = two()
    assert found["right"].problem is None
    assert found["wrong"].problem == "what it is to do cannot be concluded: a fault of ours"
    assert (found["wrong"].sites, found["wrong"].mode) == ((), "control")
    assert "what agent wrong is to do cannot be concluded" in caplog.text
