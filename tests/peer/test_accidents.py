"""Every accident that upstream had, replayed: no site changes at an agent, and one finding says why."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.integration.running import until
from tests.peer.asking import interpreter
from tests.peer.grid import TEAM, Board, ControlledGrid, Upstreams, controlled_grid
from tests.peer.real_agents import Databases, schema

AGENT = "main"
SITES = [f"T2_XX_Site{number:02}" for number in range(20)]
SOUND: Mapping[str, tuple[str | None, int | None, int | None]] = {
    name: ("drain" if number == 7 else "enabled", 1000 + number, 100) for number, name in enumerate(SITES)
}
KINDS = {"upstream_quarantined", "source_failing"}
"""The findings that tell of an accident: it is held by the guard, or by who reads it."""


def every(**values: object) -> Board:
    """Say the same of all sites."""
    return at(*SOUND, **values)


def at(*names: str, **values: object) -> Board:
    """Say something of some sites."""
    changed: dict[str, Any] = {}
    for name in names:
        status, cpu, io = SOUND[name]
        row: Any = {"status": status, "cpu": cpu, "io": io} | values
        changed[name] = row["status"], row["cpu"], row["io"]
    return Board({**SOUND, **changed})


def without(*names: str) -> Board:
    """Leave sites out."""
    return Board({name: row for name, row in SOUND.items() if name not in names})


def saying(whole: bytes) -> Board:
    """Answer something else."""
    return Board(SOUND, whole=whole)


def old() -> Board:
    """Say what held days ago, when it was otherwise."""
    return Board({**SOUND, SITES[3]: ("disabled", 1, 1)}, age=2 * 86_400.0)


ACCIDENTS: Mapping[str, Board] = {
    "all-zero capacity": every(cpu=0, io=0),
    "no site has cores for computing": every(cpu=0),
    "no site has cores for reading": every(io=0),
    "an empty answer": saying(b'{"responses":[{"hits":{"hits":[]}}]}'),
    "no answer at all": saying(b""),
    "a login page with status 200": saying(b"<html><body>Sign in</body></html>"),
    "half a document": saying(b'{"responses":[{"hits":{"hits":[{"_source":{"data":{"name":"T2_XX_Si'),
    "half of the sites missing": without(*SITES[:10]),
    "one site missing": without(SITES[3]),
    "a document of two days ago": old(),
    "every site in drain at once": every(status="drain"),
    "every site disabled": every(status="disabled"),
    "a quarter of the sites in drain": at(*SITES[10:15], status="drain"),
    "CPU null at one site": at(SITES[3], cpu=None),
    "CPU zero at one site": at(SITES[3], cpu=0),
    "all null": every(cpu=None, io=None),
    "a quarter loses most of its slots": at(*SITES[10:15], cpu=10, io=1),
}


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[ControlledGrid]:
    interpreter()
    with servers.mariadb() as server:
        databases = Databases(server)
        databases.make(AGENT, schema())
        databases.put_main(AGENT, SITES)
        upstreams = Upstreams(Board(SOUND), {AGENT: TEAM})
        with controlled_grid(tmp_path, databases, upstreams) as made:
            made.settle('[control]\nmode = "control"\n')
            made.controlled(AGENT, SITES[0])
            made.round(AGENT)
            yield made


def told(grid: ControlledGrid) -> list[dict[str, Any]]:
    """Give the findings that tell of an accident."""
    found = grid.service.json("/api/findings")["findings"]
    return [one for one in found if one["kind"] in KINDS]


RELEASED: Mapping[str, Mapping[str, tuple[str, int]]] = {
    "half of the sites missing": {SITES[3]: ("Down", 1003), SITES[15]: ("Normal", 1015)},
    "every site in drain at once": {SITES[3]: ("Draining", 1003), SITES[15]: ("Draining", 1015)},
    "CPU null at one site": {SITES[3]: ("Normal", 50), SITES[15]: ("Normal", 1015)},
}
"""What some of the sites are like once an operator lets an accident pass: state and running slots."""


def test_no_accident_changes_a_site_and_each_is_one_finding(grid: ControlledGrid) -> None:
    replay(grid)
    for name, expected in RELEASED.items():
        released(grid, name, expected)


def released(grid: ControlledGrid, name: str, expected: Mapping[str, tuple[str, int]]) -> None:
    """What was held is obeyed after an operator let it pass, and so is what is sound again."""
    before = grid.databases.sites(AGENT)
    grid.upstreams.board = ACCIDENTS[name]
    (held,) = until(lambda: grid.service.json("/api/quarantine")["quarantine"], f"{name} to be held")
    status, said = grid.operate("POST", f"/api/quarantine/{held['id']}/release", {"reason": "it is so"})
    assert status == 204, said
    state, running = expected[SITES[3]]
    grid.controlled(AGENT, SITES[3], state=state, running_slots=running)
    grid.round(AGENT)
    after = grid.databases.sites(AGENT)
    assert {site: after[site][:2] for site in expected} == expected
    until(lambda: not told(grid), f"the end of {name}")
    grid.upstreams.board = Board(SOUND)
    grid.controlled(AGENT, SITES[3], state="Normal", running_slots=1003)
    grid.round(AGENT)
    assert grid.databases.sites(AGENT) == before


def replay(grid: ControlledGrid) -> None:
    before = grid.databases.sites(AGENT)
    assert before[SITES[7]][0] == "Draining"
    changed, findings = {}, {}
    for name, board in ACCIDENTS.items():
        grid.upstreams.board = board
        until(lambda: told(grid), f"a finding for {name}")
        grid.round(AGENT)
        findings[name] = [(one["kind"], one["message"]) for one in told(grid)]
        after = grid.databases.sites(AGENT)
        if after != before:
            changed[name] = {site: after[site] for site in after if after[site] != before[site]}
        grid.upstreams.board = Board(SOUND)
        until(lambda: not told(grid), f"the end of {name}")
    assert changed == {}
    assert {name: found for name, found in findings.items() if len(found) != 1} == {}
