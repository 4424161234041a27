"""Whatever others choose as names and texts, a terminal obeys none of it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from rcmon.terminal.words import clean, json_safe
from tests.browser.site import Site
from tests.terminal.conftest import Run
from tests.terminal.grid import make_grid

EVIL = "T2_\x1b]0;owned\x07\x1b[2J\x9b31m\u202eXX\x7f\u2028=cmd|' /C'"
HARMLESS = re.compile(r"[\n -~\u00a1-\u167f]*")
COMMANDS = (
    ["sites"],
    ["findings"],
    ["agents"],
    ["why"],
    ["journal"],
    ["override", "list"],
    ["check"],
    ["sites", "--wmcore"],
)


@pytest.fixture
def evil(site: Site):
    """The service with a grid in which names and messages mean harm."""
    grid = make_grid()
    agents = {}
    for name, agent in grid.agents.items():
        places = dict(agent.sites)
        place = structs.replace(places["T2_FI_HIP"], name=EVIL)
        agents[name] = structs.replace(agent, version=EVIL, sites={**places, EVIL: place})
    there = structs.replace(
        grid.sites["T2_FI_HIP"], name=EVIL, states={EVIL: (EVIL,), "Down": (EVIL,)}, state=None
    )
    findings = tuple(structs.replace(one, message=EVIL, severity="critical") for one in grid.findings)
    site.publish(structs.replace(grid, agents=agents, sites={**grid.sites, EVIL: there}, findings=findings))
    yield site
    site.publish(make_grid())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_control_character_gets_out(run: Run, evil: Site, command: list[str]) -> None:
    reason = ["--reason", "owned \u202e\u2066"]
    assert (
        run("override", "set", "T2_FI_HIP", "--running", "1", *reason, "--yes", persona="operator").status
        == 0
    )
    for form in ([], ["-o", "csv"], ["-o", "json"]):
        if form and command[-1] in ("check", "--wmcore"):
            continue
        said = run(*command, *form)
        assert said.err == "" or said.err.startswith("rcmon-cli: the data"), said.err
        assert HARMLESS.fullmatch(said.out), ascii(said.out)
        assert HARMLESS.fullmatch(said.err)
        assert "owned" in said.out, said.out[:2000]
    assert run("override", "end", "T2_FI_HIP", "--yes", persona="operator").status == 0


def test_json_loses_nothing_by_it(run: Run, evil: Site) -> None:
    names = [one["name"] for one in json.loads(run("sites", "-o", "json").out)["sites"]]
    assert EVIL in names


def test_no_cell_of_csv_is_a_formula(run: Run, site: Site) -> None:
    grid = make_grid()
    findings = tuple(structs.replace(one, message="=HYPERLINK(1)") for one in grid.findings)
    site.publish(structs.replace(grid, findings=findings))
    said = run("findings", "-o", "csv")
    site.publish(grid)
    assert said.out.count("'=HYPERLINK(1)") == 4
    assert ",=" not in said.out


def test_errors_are_clean_too(run: Run, evil: Site) -> None:
    for command in (["site", "x\x1b[31m"], ["sites", "--state", "\x1b[31m"], ["\x1b[31m"], ["--\x9bx"]):
        said = run(*command)
        assert said.status in (1, 2)
        assert HARMLESS.fullmatch(said.err), ascii(said.err)


@given(st.text())
def test_any_text_is_made_harmless_and_its_json_says_the_same(text: str) -> None:
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", clean(text))
    written = json.dumps(text, ensure_ascii=False)
    assert json.loads(json_safe(written)) == text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x80-\x9f\u202a-\u202e\ud800-\udfff]", json_safe(written))


def test_a_terminal_has_colour_and_a_pipe_has_not(run: Run) -> None:
    """In a terminal: tests/terminal/test_top.py."""
    assert "\x1b" not in run("sites").out
    assert "\x1b" not in run("sites", FORCE_COLOR="1").out
