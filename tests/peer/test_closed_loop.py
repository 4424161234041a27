"""The closed loop: what an operator sets is what unmodified agents' databases hold after their next cycle."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rcmon.demo.issuing import slash_form
from tests import servers
from tests.integration.running import until
from tests.peer.asking import interpreter
from tests.peer.grid import REASON, TEAM, Board, ControlledGrid, Upstreams, controlled_grid
from tests.peer.real_agents import SITES, Databases, schema
from tests.sources.sample import unpack

MAIN, SECOND, THIRD, HELD = "main", "second", "third", "held"
MADE = [f"T2_XX_Site{number:03}" for number in range(SITES)]
FEW = MADE[:20]
CONTROL = '[control]\nmode = "control"\n'


def upstream_of(names: list[str]) -> dict[str, tuple[str | None, int | None, int | None]]:
    """Give each site its own number of cores; a few are in drain."""
    return {
        name: ("drain" if number % 20 == 7 else "enabled", 900 + 37 * number, 90 + 3 * number)
        for number, name in enumerate(names)
    }


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[ControlledGrid]:
    interpreter()
    with servers.mariadb() as server:
        databases, statements = Databases(server), schema()
        for name, sites in ((MAIN, MADE), (SECOND, FEW), (THIRD, FEW)):
            databases.make(name, statements)
            databases.put_main(name, sites)
        databases.make(HELD, statements)
        databases.put(HELD, unpack(tmp_path / "held.sqlite"))
        held = [*databases.sites(HELD)]
        agents = {MAIN: TEAM, SECOND: TEAM, THIRD: TEAM, HELD: "held"}
        upstreams = Upstreams(Board(upstream_of([*MADE, *held])), agents)
        with controlled_grid(tmp_path, databases, upstreams) as made:
            yield made


def test_the_loop_is_closed(grid: ControlledGrid) -> None:
    """One grid goes all the way: to make it takes longer than to use it."""
    an_agent_that_is_observed_is_not_answered(grid, MAIN)
    grid.settle(CONTROL)
    agents_hold_what_upstream_says(grid)
    for agent, site in ((MAIN, MADE[33]), (HELD, "T1_DE_KIT")):
        an_override_is_obeyed(grid, agent, site)
    shares_by_weight_give_what_the_site_may_have(grid)
    grid.settle(CONTROL + f'[agents.{SECOND}]\nmode = "observe"\n')
    an_agent_that_is_observed_is_not_answered(grid, SECOND)


def an_agent_that_is_observed_is_not_answered(grid: ControlledGrid, agent: str) -> None:
    """Going back is one line, too: nothing changes any more."""
    until(lambda: "observe" in grid.bridges[agent].ask("sts15min", dataset=agent)[1], "the mode")
    before = grid.databases.sites(agent)
    grid.round(agent)
    assert grid.databases.sites(agent) == before


def agents_hold_what_upstream_says(grid: ControlledGrid) -> None:
    assert {values[0] for values in grid.databases.sites(MAIN).values()} == {"Normal"}
    for agent in grid.upstreams.agents:
        grid.controlled(agent, MADE[0])
    grid.round(*grid.upstreams.agents)
    for agent, number in ((MAIN, SITES), (SECOND, len(FEW)), (THIRD, len(FEW)), (HELD, 14)):
        told, held = grid.control(agent)["sites"], grid.databases.sites(agent)
        assert len(held) == number
        assert held == {
            site: (told[site]["state"], told[site]["running_slots"], told[site]["pending_slots"])
            for site in held
        }
    assert grid.databases.sites(MAIN)[MADE[7]][0] == "Draining"
    assert grid.databases.sites(MAIN)[MADE[1]][1] == 937


def an_override_is_obeyed(grid: ControlledGrid, agent: str, site: str) -> None:
    """It is in the database after a cycle, in the snapshot and in the journal, and so is its end."""
    before = grid.databases.sites(agent)
    path = f"/api/agents/{agent}/sites/{site}/override"
    status, made = grid.operate("PUT", path, {"state": "Draining", "reason": REASON}, "If-None-Match: *")
    assert status == 201, made
    grid.controlled(agent, site, state="Draining", state_from="override")
    grid.round(agent)
    assert grid.databases.sites(agent) == before | {site: ("Draining", *before[site][1:])}
    until(lambda: in_snapshot(grid, agent, site) == "Draining", "the snapshot")
    assert any(REASON in entry for entry in told_by_the_journal(grid, agent, site))

    status, gone = grid.operate("DELETE", path, None, f'If-Match: "{made["etag"]}"')
    assert status in {200, 204}, gone
    grid.controlled(agent, site, state="Normal", state_from="upstream")
    grid.round(agent)
    assert grid.databases.sites(agent) == before
    until(lambda: in_snapshot(grid, agent, site) == "Normal", "the snapshot")
    assert len(told_by_the_journal(grid, agent, site)) >= 2


def in_snapshot(grid: ControlledGrid, agent: str, site: str) -> Any:
    return grid.service.json(f"/api/sites/{site}")["agents"][agent]["state"]


def told_by_the_journal(grid: ControlledGrid, agent: str, site: str) -> list[str]:
    """Give the entries of the operator's doing there."""
    entries = grid.service.json(f"/api/journal?site={site}&limit=100")["entries"]
    found = [json.dumps(entry, ensure_ascii=False) for entry in entries]
    return [entry for entry in found if slash_form("operator") in entry and agent in entry]


def shares_by_weight_give_what_the_site_may_have(grid: ControlledGrid) -> None:
    weights = {MAIN: 50, SECOND: 30, THIRD: 20}
    before = {agent: grid.databases.sites(agent) for agent in weights}
    grid.settle(CONTROL + "".join(f"[agents.{name}]\nweight = {one}\n" for name, one in weights.items()))
    for agent in weights:
        grid.controlled(agent, FEW[0], slots_from="share")
    grid.round(*weights)
    after = {agent: grid.databases.sites(agent) for agent in weights}
    for site in FEW:
        cores = grid.upstreams.board.sites[site][1]
        assert cores is not None
        may_have = cores // 2
        assert abs(sum(before[agent][site][2] for agent in weights) - may_have) <= len(weights)
        pending = {agent: after[agent][site][2] for agent in weights}
        for agent, weight in weights.items():
            assert abs(pending[agent] - max(may_have * weight / 100, 50)) <= 1, (site, pending)
        assert abs(sum(pending.values()) - may_have) <= len(weights)
    grid.settle(CONTROL)
    grid.controlled(MAIN, FEW[0], slots_from="upstream")
