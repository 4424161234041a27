"""What should be is told only where all that it follows from is known."""

from msgspec import structs

from rcmon.model import AgentExpected, Snapshot, UpdaterSettings
from rcmon.rules.expecting import expectations
from tests.rules.grid import NOW, SITE, report, snapshot, status


def of(found: Snapshot) -> AgentExpected:
    return found.expected["a"]


def test_the_share_of_a_team() -> None:
    about = of(snapshot({SITE: status()}, {"a": report(), "b": report(), "c": report(drain=True)}))
    want = about.sites[SITE]
    assert (about.team, about.agents, about.missing) == ("production", 2, None)
    assert (want.state, want.running_slots, want.pending_slots) == ("Normal", 4000, 1000)
    assert (want.task("Merge"), want.task("Production")) == ((2000, 450), (4000, 900))
    assert want.task("Express") is None


def test_an_agent_that_drains_counts_itself_alone() -> None:
    about = of(snapshot({SITE: status()}, {"a": report(drain=True), "b": report()}))
    assert about.agents == 1


def test_without_reports_running_slots_are_known_and_pending_slots_are_not() -> None:
    about = of(snapshot({SITE: status()}, None))
    assert about.agents is None
    assert about.missing == "the team of a is neither configured nor reported"
    assert (about.sites[SITE].running_slots, about.sites[SITE].pending_slots) == (4000, None)


def test_an_agent_that_is_not_said_to_drain_or_not_is_not_guessed_at() -> None:
    about = of(snapshot({SITE: status()}, {"b": report()}, settings=UpdaterSettings(team="production")))
    assert about.missing == "nothing says whether a drains"


def test_without_a_site_status_board_nothing_is_expected() -> None:
    about = of(snapshot(None, {"a": report()}))
    assert (about.sites, about.missing) == ({}, "no source says what the site status board has")


def test_an_agent_of_unknown_kind_is_not_guessed_at() -> None:
    found = snapshot({SITE: status()}, {"a": report()})
    agents = {"a": structs.replace(found.agents["a"], components=())}
    about = of(snapshot({SITE: status()}, {"a": report()}))
    assert about.tier0 is False
    again = structs.replace(found, agents=agents)
    assert expectations(again)["a"].missing == "nothing says whether a is a tier-0 agent"


def test_an_agent_that_is_silent_is_a_ghost_in_n_and_the_fair_share_is_known() -> None:
    about = of(snapshot({SITE: status()}, {"a": report(), "b": report(NOW - 1201)}))
    assert about.ghosts == ("b",)
    assert (about.sites[SITE].pending_slots, about.fair[SITE].pending_slots) == (1000, 2000)


def test_one_site_with_io_alone_stops_all_slots_and_no_states() -> None:
    about = of(snapshot({SITE: status("drain"), "T2_A_B": status(cpu=None)}, {"a": report()}))
    assert about.stopped is not None
    assert "T2_A_B" in about.stopped
    assert about.sites[SITE].state == "Draining"


def test_empty_hits_force_sites_down_where_only_known_sites_count() -> None:
    for only, state in ((True, "Down"), (False, None)):
        about = of(snapshot({}, {"a": report()}, settings=UpdaterSettings(only_ssb=only)))
        assert about.sites[SITE].state == state
