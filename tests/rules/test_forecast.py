"""A forecast is scored when the updater has written, and only where new input made it write."""

from msgspec import structs

from rcmon.model import AgentSite, Forecast, SiteStatus, Snapshot
from rcmon.rules.thresholds import actual
from tests.rules.grid import NOW, SITE, held, report, snapshot, status, then

TEAM = {"a": report(), "b": report()}
CALM = snapshot({SITE: status()}, TEAM)
SETTLED = held(CALM.expected["a"].sites[SITE])
"""The site as the updater leaves it with 4000 cores."""


def at(seconds: float, said: SiteStatus, site: AgentSite) -> Snapshot:
    return snapshot({SITE: said}, TEAM, sites={SITE: site}, now=NOW + seconds)


def of(found: Snapshot) -> Forecast:
    return found.forecasts["a"]


def changed(seconds: float = 60, cpu: int = 6000) -> Snapshot:
    """Go on from a calm grid to one whose input has just changed."""
    return then(then(None, at(0, status(), SETTLED)), at(seconds, status(cpu=cpu), SETTLED))


def test_new_input_is_awaited_and_scored_as_hits_once_it_is_written() -> None:
    before = changed()
    assert {what: wait.value for what, wait in of(before).awaited[SITE].items()} == {
        "slots": (1500, 6000),
        "cpu": (6000, 1350, 6000, 1350),
    }
    want = before.expected["a"].sites[SITE]
    after = of(then(before, at(900, status(cpu=6000), held(want))))
    assert (after.hits, after.misses, after.awaited) == (2, 0, {})


def test_what_is_written_otherwise_is_a_miss_and_told() -> None:
    before = changed()
    site = structs.replace(SETTLED, running_slots=7, pending_slots=7)
    after = of(then(before, at(900, status(cpu=6000), site)))
    assert (after.hits, after.misses) == (0, 1)
    assert (after.missed[0].what, after.missed[0].forecast, after.missed[0].written) == (
        "slots",
        (1500, 6000),
        (7, 7),
    )


def test_a_write_that_is_read_half_done_waits_for_its_other_half() -> None:
    before = changed()
    half = then(before, at(900, status(cpu=6000), structs.replace(SETTLED, pending_slots=1500)))
    assert (of(half).hits, of(half).misses) == (0, 0)
    want = before.expected["a"].sites[SITE]
    after = of(then(half, at(960, status(cpu=6000), held(want))))
    assert (after.hits, after.misses) == (2, 0)


def test_what_changes_by_hand_is_no_hit_and_its_correction_neither() -> None:
    calm = then(None, at(0, status(), SETTLED))
    by_hand = then(calm, at(60, status(), structs.replace(SETTLED, running_slots=1)))
    mended = then(by_hand, at(120, status(), SETTLED))
    assert (of(mended).hits, of(mended).misses, of(mended).awaited) == (0, 0, {})


def test_the_input_before_the_newest_counts_too() -> None:
    first = changed()
    second = then(first, at(120, status(cpu=7000), SETTLED))
    want = first.expected["a"].sites[SITE]
    after = of(then(second, at(180, status(cpu=7000), held(want))))
    assert (after.hits, after.misses) == (2, 0)


def test_an_input_that_turns_back_awaits_nothing() -> None:
    back = then(changed(), at(120, status(), SETTLED))
    assert of(back) == Forecast()


def test_a_change_of_n_is_new_input() -> None:
    before = then(None, at(0, status(), SETTLED))
    more = snapshot({SITE: status()}, TEAM | {"c": report()}, sites={SITE: SETTLED}, now=NOW + 60)
    assert set(of(then(before, more)).awaited[SITE]) == {"slots", "cpu", "io"}


def test_a_max_that_is_stuck_is_not_awaited() -> None:
    """With 26 agents the pending slots of IO tasks stay at 25 whatever IO does."""
    team = {name: report() for name in "abcdefghijklmnopqrstuvwxyz"}
    calm = snapshot({SITE: status(io=1000)}, team)
    site = held(calm.expected["a"].sites[SITE])
    first = then(None, snapshot({SITE: status(io=1000)}, team, sites={SITE: site}))
    second = then(first, snapshot({SITE: status(io=1100)}, team, sites={SITE: site}, now=NOW + 60))
    assert of(second).awaited == {}


def test_what_a_round_long_after_its_input_leaves_out_is_a_miss() -> None:
    before = changed()
    at_last = then(before, at(900, status("drain", cpu=6000), SETTLED))
    drained = structs.replace(SETTLED, state="Draining")
    middle = then(at_last, at(1800, status("drain", cpu=6000), SETTLED))
    after = of(then(middle, at(2000, status("drain", cpu=6000), drained)))
    assert (after.hits, after.misses, after.awaited) == (1, 2, {})


def test_counts_outlive_the_agents_absence() -> None:
    before = changed()
    gone = structs.replace(at(120, status(), SETTLED), agents={}, expected={})
    counted = structs.replace(before, forecasts={"a": Forecast(3, 1)})
    kept = then(counted, gone)
    assert kept.forecasts == {"a": Forecast(3, 1)}
    assert of(then(kept, at(180, status(), SETTLED))) == Forecast(3, 1)


def test_a_long_gap_makes_nothing_known_of_rounds() -> None:
    before = changed()
    want = before.expected["a"].sites[SITE]
    after = then(before, at(60 + 1801, status(cpu=6000), held(want)))
    assert (of(after).hits, of(after).misses) == (0, 0)


def test_what_is_there_is_told_in_the_order_of_what_is_written() -> None:
    assert actual(SETTLED, "slots") == (1000, 4000)
    assert actual(SETTLED, "state") == ("Normal",)
