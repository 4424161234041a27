"""`top` in a real terminal: it moves, is resized, loses the service, finds it again, leaves no trace."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from rcmon.model import Snapshot
from tests.browser.site import Site
from tests.terminal.asking import environment, program
from tests.terminal.grid import make_grid
from tests.terminal.relay import Relay
from tests.terminal.tmux import Terminal
from tests.web.grid import NOW

Open = Callable[..., Terminal]
TOP = ("top", "--interval", "1")


@pytest.fixture
def published(site: Site) -> Iterator[Site]:
    """The service, for a test that publishes; the grid is there again afterwards."""
    yield site
    site.publish(make_grid())


@pytest.fixture
def terminal(site: Site, tmp_path: Path) -> Iterator[Open]:
    """Open terminals; they are closed afterwards."""
    opened: list[Terminal] = []

    def make(width: int = 100, height: int = 30, **variables: str) -> Terminal:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(Terminal(folder, environment(site, **variables), width, height))
        return opened[-1]

    yield make
    for one in opened:
        one.end()


def without(grid: Snapshot, name: str) -> Snapshot:
    return structs.replace(grid, sites={key: site for key, site in grid.sites.items() if key != name})


def clean_end(shown: Terminal, status: int) -> str:
    """Hold that the terminal is as it was: the shell's screen, a cursor, and what is typed is seen."""
    text = shown.shows(f"status={status}")
    assert shown.flags() == "0 1"
    assert "live" not in text
    assert "Traceback" not in text
    shown.type("echo back again", "Enter")
    shown.until(lambda: "yes" if shown.text().count("back again") == 2 else "", "an echo")
    return text


def test_it_shows_what_moves_and_is_left_as_it_was_found(published: Site, terminal: Open) -> None:
    shown = terminal()
    shown.start(*TOP)
    text = shown.shows("live, ", "62 sites", "3 agents", "T1_DE_KIT", "Normal", "7410")
    assert shown.flags() == "1 0"
    assert len(text.splitlines()) == 30
    published.publish(without(make_grid(), "T1_DE_KIT"))
    shown.shows("61 sites")
    assert "T1_DE_KIT" not in shown.text()
    shown.type("q")
    clean_end(shown, 0)


def test_its_keys(terminal: Open) -> None:
    shown = terminal()
    shown.start(*TOP)
    shown.shows("T0_CH_CERN", "by site, up")
    shown.type("2")
    shown.shows("cmsgwms-submit4", "JobSubmitter", "HEALTH", "stale")
    shown.type("Tab")
    text = shown.shows("worker_unhealthy", "SEVERITY")
    assert text.index("worker_unhealthy") < text.index("draining_long")
    shown.type("1")
    shown.shows("T0_CH_CERN")
    shown.type("s", "s", "s")
    shown.shows("by run jobs, down")
    numbers = [int(line.split()[3]) for line in shown.text().splitlines()[4:24]]
    assert numbers == sorted(numbers, reverse=True)
    shown.type("r")
    shown.shows("by run jobs, up")
    shown.type("/", "u", "k", "_")
    text = shown.shows("T1_UK_RAL", "T2_UK_SGrid_RALPP", "filter: uk_")
    assert "T1_DE_KIT" not in text
    shown.type("Enter")
    shown.shows("q quit", "filter: uk_")
    shown.type("Escape")
    shown.until(lambda: "yes" if "filter:" not in shown.text() else "", "no filter")
    shown.type("h")
    shown.shows("any part, in any case")
    shown.type("x", "End")
    shown.until(lambda: "yes" if "any part" not in shown.text() else "", "no help")
    shown.type("C-c")
    clean_end(shown, 130)


def test_it_is_resized_to_whatever_there_is(terminal: Open) -> None:
    shown = terminal()
    shown.start(*TOP)
    shown.shows("live, ", "PEND SLOTS")
    for width, height in ((40, 12), (10, 4), (2, 2), (200, 60)):
        shown.resize(width, height)
        shown.until(lambda height=height: "yes" if shown.text().strip() else "", "something")
    shown.shows("live, ", "PEND SLOTS", "T3_US_Baylor", "q quit")
    shown.resize(100, 30)
    text = shown.until(
        lambda: shown.text() if "q quit" in shown.text().splitlines()[-1] else "",
        "the last line at the bottom",
    )
    assert len(text.splitlines()) == 30
    shown.type("q")
    clean_end(shown, 0)


def test_it_says_that_the_service_is_gone_and_goes_on_when_it_is_back(
    published: Site, terminal: Open
) -> None:
    relay = Relay(published.serving.port)
    shown = terminal(width=160, RCMON_URL=f"https://localhost:{relay.port}")
    shown.start(*TOP)
    shown.shows("live, ", "62 sites")
    relay.cut()
    text = shown.shows("OFFLINE since", "cannot be reached", "what is shown is")
    assert "T1_DE_KIT" in text
    assert "live, " not in text
    published.publish(without(make_grid(), "T1_DE_KIT"))
    relay.mend()
    shown.shows("live, ", "61 sites")
    assert "OFFLINE" not in shown.text()
    shown.type("q")
    clean_end(shown, 0)
    relay.cut()


def test_a_collector_that_stands_still_is_told_and_a_pause_too(published: Site, terminal: Open) -> None:
    shown = terminal()
    shown.start(*TOP)
    shown.shows("live, ")
    shown.type("p")
    shown.shows("PAUSED: what is shown is")
    published.publish(without(make_grid(started=NOW - 400), "T1_DE_KIT"))
    assert "T1_DE_KIT" in shown.shows("PAUSED")
    shown.type("p")
    text = shown.shows("STALE: what is shown is 6 min", "61 sites")
    assert "live, " not in text
    shown.type("q")
    clean_end(shown, 0)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_leaves_the_terminal_clean(terminal: Open, number: signal.Signals, status: int) -> None:
    shown = terminal()
    shown.start(*TOP)
    shown.shows("live, ")
    os.kill(shown.process(), number)
    clean_end(shown, status)


def test_it_is_left_for_a_while_by_ctrl_z(terminal: Open) -> None:
    shown = terminal()
    shown.start(*TOP)
    shown.shows("live, ")
    shown.type("C-z")
    shown.until(lambda: "yes" if shown.flags() == "0 1" else "", "the shell")
    shown.type("fg", "Enter")
    shown.until(lambda: "yes" if shown.flags() == "1 0" else "", "the screen")
    shown.shows("live, ", "T1_DE_KIT")
    shown.type("q")
    shown.until(lambda: "yes" if shown.flags() == "0 1" else "", "the shell again")


def test_who_is_refused_is_told_without_a_screen_or_on_it(terminal: Open) -> None:
    shown = terminal(width=160, persona="stranger")
    shown.start(*TOP)
    shown.shows("REFUSED since", "lacks the role reader", "nothing to show")
    shown.type("q")
    clean_end(shown, 0)
    shown.start("top", "--cert", "/nowhere")
    shown.shows("rcmon-cli: /nowhere (--cert) cannot be read", "status=77")


def test_it_needs_a_terminal(site: Site) -> None:
    said = program(["top"], environment(site))
    assert (said.status, said.out) == (2, "")
    assert "top needs a terminal" in said.err


def test_tables_are_as_wide_as_the_terminal_and_in_colour(terminal: Open) -> None:
    shown = terminal(width=60)
    shown.start("findings")
    shown.shows("status=0", "4 findings")
    assert "JobSubmitter of vocms0281 has had no heartbeat for 3 h" in shown.text("-J")  # nothing is left out
    assert "\x1b[31mcritical" in shown.text("-e")
    wide = terminal(width=130)
    wide.start("findings")
    wide.shows("status=0", "4 findings")
    assert "\x1b[31mcritical" in wide.text("-e")
    assert re.search(r"different +-\n +states\n", wide.text())  # a long message goes on in its column
    plain = terminal(NO_COLOR="1")
    plain.start("findings")
    plain.shows("status=0", "4 findings")
    assert "[31m" not in plain.text("-e")


def test_an_override_is_asked_for_and_no_is_no(published: Site, terminal: Open) -> None:
    shown = terminal(persona="operator")
    wish = ["override", "set", "T2_FI_HIP", "--state", "Down", "--reason", "power"]
    shown.start(*wish)
    shown.shows("Normal -> Down", "Set this at T2_FI_HIP in every agent? [y/N]")
    shown.type("n", "Enter")
    shown.shows("nothing was changed", "status=1")
    shown.type("clear", "Enter")
    shown.start(*wish)
    shown.shows("[y/N]")
    shown.type("y", "Enter")
    shown.shows("undo: rcmon-cli override undo", "status=0")
    shown.type("clear", "Enter")
    shown.start("override", "end", "T2_FI_HIP", "--yes")
    shown.shows("nothing set", "status=0")
