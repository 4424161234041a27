"""`top` beside a whole service whose grid moves: it is resized, and outlives the service until it is back."""

import signal
from pathlib import Path

from tests.integration.running import running, until
from tests.terminal.asking import environment, program
from tests.terminal.tmux import Terminal

GRID = ("--demo", "--synthetic", "60x3", "--workers", "1", "--cycle-interval", "2")


def rows(shown: Terminal) -> list[str]:
    """Give the lines of sites; the line above them tells the time."""
    return [line for line in shown.text().splitlines() if line.startswith(("T0_", "T1_", "T2_", "T3_"))]


def moves(shown: Terminal) -> str:
    before = rows(shown)
    return shown.until(lambda: "yes" if rows(shown) not in ([], before) else "", "other numbers")


def test_it_moves_with_a_service_that_is_killed_and_started_again(tmp_path: Path) -> None:
    with running(tmp_path, *GRID) as service:
        pki = service.pki
        given = environment(
            None,
            None,
            RCMON_URL=f"https://localhost:{service.port}",
            X509_USER_PROXY=str(pki / "reader.pem"),
            X509_CERT_DIR=str(pki / "ca.crt"),
        )
        piped = program(["sites"], given)
        assert piped.status == 0, piped.err
        assert "\x1b" not in piped.out
        shown = Terminal(tmp_path, given, width=160)
        try:
            shown.start("top", "--interval", "1")
            shown.shows("live, ", "60 sites", "3 agents")
            moves(shown)
            shown.resize(90, 20)
            shown.until(lambda: "yes" if len(shown.text().splitlines()) == 20 and rows(shown) else "", "rows")
            moves(shown)
            shown.resize(160, 30)
            service.process.send_signal(signal.SIGKILL)
            service.process.wait()
            text = shown.shows("OFFLINE since", "what is shown is")
            assert "live, " not in text
            assert rows(shown)
            until(lambda: service.curl("/api/status")[0] == 0, "nobody who answers")
            with running(tmp_path, *GRID, "--port", str(service.port)):
                shown.shows("live, ", "60 sites")
                moves(shown)
                assert "OFFLINE" not in shown.text()
                shown.type("q")
                shown.shows("status=0")
        finally:
            shown.end()
