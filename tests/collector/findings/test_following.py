"""Raising, clearing and grouping: what is told, and since when."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from rcmon.collector import clock
from rcmon.collector.findings import findings, told
from rcmon.collector.findings.following import Judged, followed
from rcmon.collector.findings.identity import identity
from rcmon.model import Component, Finding, Meaning, Snapshot, Watching, Worker
from tests.collector.findings.made import NOW, agent, grid, site

RULES = Watching(2, 3)
KINDS = {"odd": Meaning("Odd."), "now": Meaning("Now.", at_once=True), "slow": Meaning("Slow.", after=600.0)}


def one(kind: str = "odd", site_name: str = "T2_X") -> Finding:
    finding = Finding(kind, "a", "m", site=site_name)
    return structs.replace(finding, id=identity(finding))


def told_by(history: str, kind: str = "odd") -> str:
    """Follow one finding over cycles: F found, - not, ? not judged; R: it is raised."""
    watched: tuple[Finding, ...] = ()
    said = ""
    for number, cycle in enumerate(history):
        found = (one(kind),) if cycle == "F" else ()
        unjudged = frozenset({one(kind).id}) if cycle == "?" else frozenset()
        now = NOW + 60 * number
        watched = followed(watched, Judged(found, unjudged, frozenset()), now, RULES, KINDS)
        said += "R" if any(finding.raised for finding in watched) else "."
    return said


def test_a_finding_is_raised_after_two_cycles_and_cleared_after_three():
    assert told_by("FF---F") == ".RRR.."
    assert told_by("F-F-F-FF") == ".......R"
    assert told_by("FF--F--F---") == ".RRRRRRRRR."


def test_what_is_not_judged_neither_raises_nor_clears():
    assert told_by("FF?????---") == ".RRRRRRRR."
    assert told_by("??F?F") == "....R"


def test_a_kind_may_be_raised_at_once_or_after_a_time():
    assert told_by("F---", "now") == "RRR."
    assert told_by("F" * 12, "slow") == "." * 10 + "RR"


def test_old_data_neither_raise_nor_clear():
    known = followed((), Judged((one("now"),), frozenset(), frozenset()), NOW, RULES, KINDS)
    old = Judged((one("now"),), frozenset(), frozenset({"a"}))
    assert followed(known, old, NOW + 60, RULES, KINDS) == known
    assert followed(known, Judged((), frozenset(), frozenset({"a"})), NOW + 60, RULES, KINDS) == known


@given(st.lists(st.tuples(st.booleans(), st.floats(-1e6, 1e6)), max_size=30))
def test_since_is_never_behind_last_seen_nor_that_ahead_of_the_clock(cycles):
    watched: tuple[Finding, ...] = ()
    for found, now in cycles:
        watched = followed(
            watched, Judged((one("now"),) if found else (), frozenset(), frozenset()), now, RULES, KINDS
        )
        assert all(finding.since <= finding.last_seen <= now for finding in watched)


def test_a_clock_that_is_set_moves_the_times_with_it():
    snapshot = told(grid(agent([site(state="Down", running=50)])), None, Watching(1, 1))
    (before,) = snapshot.findings
    (after,) = clock.shifted(snapshot, 3600.0).findings
    assert (after.since, after.last_seen, after.id) == (NOW + 3600, NOW + 3600, before.id)


def sick(number: int, bad: int) -> tuple[Component, ...]:
    workers = [
        Worker(f"w{n}", "Error", NOW, 60.0, 1.0, problem="x" if n < bad else None) for n in range(number)
    ]
    return (Component("JobSubmitter", 1, 7200.0, tuple(workers)),)


def test_one_cause_that_strikes_more_than_a_fifth_of_the_sites_is_one_finding():
    def zero(bad: int) -> Snapshot:
        sites = [site(f"T2_{n:02}", threshold=0 if n < bad else 9) for n in range(25)]
        return told(grid(agent(sites)), None, Watching(1, 1))

    assert len(zero(5).findings) == 5
    (cause,) = zero(6).findings
    assert (cause.kind, cause.agent, cause.site, cause.count) == ("thresholds_zero", "a", None, 6)
    assert cause.message.startswith("6 of 25 sites at once (T2_00, T2_01, T2_02, ...)")
    assert cause.members == tuple(sorted(one.id for one in zero(6).watched))
    assert cause.since == NOW


def test_all_workers_of_an_agent_are_one_finding():
    assert len(told(grid(agent([], components=sick(3, 2))), None, Watching(1, 1)).findings) == 2
    (cause,) = told(grid(agent([], components=sick(3, 3))), None, Watching(1, 1)).findings
    assert (cause.kind, cause.count, len(cause.members)) == ("worker_unhealthy", 3, 3)


poll = st.builds(
    Finding,
    st.sampled_from(["threshold_twice", "slots_implausible", "site_without_thresholds"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["x", "y", "z"]),
    st.integers(1, 9),
    st.sampled_from([None, *(f"T2_{n}" for n in range(9))]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(poll, max_size=30), st.randoms(use_true_random=False))
def test_findings_depend_on_nothing_but_their_inputs_and_ids_are_unique(noted, chance: random.Random):
    def snapshot(some: list[Finding]) -> Snapshot:
        named = {name: tuple(one for one in some if one.agent == name) for name in "ab"}
        return grid(
            *(agent([site(f"T2_{n}") for n in range(9)], name, findings=named[name]) for name in "ab")
        )

    mixed = list(noted)
    chance.shuffle(mixed)
    once, again = (told(snapshot(some), None, Watching(1, 1)) for some in (noted, mixed))
    assert once.findings == again.findings
    assert once.watched == again.watched
    assert len({one.id for one in once.watched}) == len(once.watched)
    assert len({one.id for one in once.findings}) == len(once.findings)
    assert sum(one.count for one in once.findings) == sum(one.count for one in noted)
    assert [one.id for one in findings(snapshot(mixed))] == [one.id for one in once.watched]
