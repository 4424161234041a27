"""Each value that differs has one reason, the first that holds."""

from msgspec import structs

from rcmon.model import AgentSite, Drift, DriftCell, Manual, Snapshot, UpdaterSettings
from rcmon.rules.drift import drifts
from tests.rules.grid import NOW, SITE, held, report, snapshot, status, then

TEAM = {"a": report(), "b": report()}
SETTLED = held(snapshot({SITE: status()}, TEAM).expected["a"].sites[SITE])


def reasons(found: Snapshot) -> dict[str, list[DriftCell]]:
    listed: dict[str, list[DriftCell]] = {}
    for drift in drifts(found):
        assert drift.detail.endswith("."), drift.detail
        listed.setdefault(drift.reason, []).extend(drift.cells)
    return listed


def only(found: Snapshot) -> Drift:
    (drift,) = drifts(found)
    return drift


def test_nothing_differs_where_the_updater_has_just_been() -> None:
    assert reasons(snapshot({SITE: status()}, TEAM, sites={SITE: SETTLED})) == {}


def with_task(name: str, most: int | None, pending: int | None) -> AgentSite:
    task = structs.replace(SETTLED.tasks[name], max_slots=most, pending_slots=pending)
    return structs.replace(SETTLED, tasks={**SETTLED.tasks, name: task})


def test_a_max_whose_pending_slots_are_right_is_stuck() -> None:
    drift = only(snapshot({SITE: status()}, TEAM, sites={SITE: with_task("Merge", 77, 450)}))
    assert (drift.reason, drift.cells) == ("stuck_max", (DriftCell("Merge", "max_slots", 2000, 77),))


def test_a_threshold_that_is_not_there() -> None:
    drift = only(snapshot({SITE: status()}, TEAM, sites={SITE: with_task("Skim", None, None)}))
    assert (drift.reason, drift.cells) == ("no_threshold", (DriftCell("Skim", "max_slots", 2000, None),))


def test_a_small_site_has_the_floor() -> None:
    small = snapshot({SITE: status(cpu=30, io=5)}, TEAM)
    settled = held(small.expected["a"].sites[SITE])
    assert reasons(snapshot({SITE: status(cpu=30, io=5)}, TEAM, sites={SITE: settled})) == {
        "floor": [DriftCell(None, "running_slots", 30, 50), DriftCell(None, "pending_slots", 7, 50)]
    }


def test_stale_input() -> None:
    site = structs.replace(SETTLED, running_slots=1, state="Down")
    found = reasons(snapshot({SITE: status()}, TEAM, sites={SITE: site}, stale=True))
    assert set(found) == {"stale_input"}
    assert len(found["stale_input"]) == 2


def test_missing_input_of_a_site() -> None:
    found = reasons(snapshot({SITE: status()}, TEAM, sites={SITE: SETTLED, "T2_A_B": SETTLED}))
    assert [(cell.what, cell.expected) for cell in found["missing_input"]] == [
        ("state", None),
        ("running_slots", None),
        ("pending_slots", None),
    ]


def test_missing_input_of_an_agent_is_told_once() -> None:
    drift = only(snapshot(None, TEAM))
    assert (drift.site, drift.reason) == (None, "missing_input")
    drift = only(snapshot({SITE: status()}, None, sites={SITE: SETTLED}))
    assert (drift.site, drift.reason) == (None, "missing_input")


def test_a_stop_of_all_slots_is_missing_input_at_the_sites_that_differ() -> None:
    site = structs.replace(SETTLED, running_slots=1)
    broken = {SITE: status(), "T2_A_B": status(cpu=None)}
    drift = only(snapshot(broken, TEAM, sites={SITE: site}))
    assert (drift.site, drift.reason) == (SITE, "missing_input")
    assert "T2_A_B" in drift.detail


def test_a_dead_agent_in_the_team_lowers_the_share() -> None:
    found = snapshot({SITE: status()}, {"a": report(), "b": report(NOW - 5000)}, sites={SITE: SETTLED})
    ghosts = reasons(found)["ghost_agent"]
    assert set(reasons(found)) == {"ghost_agent"}
    assert DriftCell(None, "pending_slots", 2000, 1000) in ghosts
    assert DriftCell("Merge", "pending_slots", 900, 450) in ghosts


def test_another_number_of_agents_explains_what_is_there() -> None:
    alone = held(snapshot({SITE: status()}, {"a": report()}).expected["a"].sites[SITE])
    found = reasons(snapshot({SITE: status()}, TEAM, sites={SITE: alone}))
    assert set(found) == {"ghost_agent"}


def test_forced_down() -> None:
    settings = UpdaterSettings(force_site_down=(SITE,))
    site = structs.replace(SETTLED, state="Down")
    drift = only(snapshot({SITE: status()}, TEAM, settings=settings, sites={SITE: site}))
    assert (drift.reason, drift.cells) == ("forced_down", (DriftCell(None, "state", "Normal", "Down"),))


def test_a_person_s_word_in_the_board() -> None:
    manual = Manual("disabled", "latched", NOW - 60, "somebody", "cooling failed")
    said = structs.replace(status("disabled"), manual=manual)
    drift = only(snapshot({SITE: said}, TEAM, sites={SITE: SETTLED}))
    assert (drift.reason, drift.cells) == ("manual", (DriftCell(None, "state", "Down", "Normal"),))
    assert "somebody set T2_CH_CERN to disabled by hand" in drift.detail
    assert "cooling failed" in drift.detail


def test_new_input_is_awaited_for_two_rounds_and_unexplained_then() -> None:
    first = then(None, snapshot({SITE: status()}, TEAM, sites={SITE: SETTLED}))
    for seconds, reason in ((60, "awaited"), (1800, "awaited"), (1920, "unexplained")):
        now = snapshot({SITE: status("drain")}, TEAM, sites={SITE: SETTLED}, now=NOW + seconds)
        first = then(first, now)
        assert only(first).reason == reason


def test_what_nothing_explains() -> None:
    site = structs.replace(SETTLED, running_slots=4001)
    assert only(snapshot({SITE: status()}, TEAM, sites={SITE: site})).reason == "unexplained"


def test_an_updater_that_is_off_differs_from_nothing() -> None:
    settings = UpdaterSettings(enabled=False)
    assert reasons(snapshot({SITE: status()}, TEAM, settings=settings)) == {}
