from rcmon.demo.agents import STUBBORN_SITES
from rcmon.demo.grid import dice
from rcmon.demo.sitestates import LAG, SiteStates, initial_states

AGENTS = ("one", "two")


def test_every_agent_learns_every_change_and_few_sites_are_away() -> None:
    grid = SiteStates(dice("test"), AGENTS, initial_states("test"))
    states = {agent: dict(initial_states("test")) for agent in AGENTS}
    differing = 0
    for _ in range(4000):
        for agent, site, state in grid.advance(10):
            assert site not in STUBBORN_SITES
            assert states[agent].get(site, "Normal") != state, "told twice"
            states[agent][site] = state
        away = [site for site, state in states["one"].items() if state != "Normal"]
        assert len(away) <= 12
        differing += any(states["one"].get(site) != states["two"].get(site) for site in away)
    assert len(states["one"]) > 100
    assert 0 < differing < 2000
    for _ in range(2):
        later = grid.advance(LAG)
    assert {agent for agent, _, _ in later} <= set(AGENTS)


def test_agents_agree_on_what_is_away_at_first() -> None:
    assert initial_states("test") == initial_states("test")
    assert set(initial_states("test").values()) == {"Draining", "Down", "Aborted"}
