"""A page that stays open while the collector stands still and while the service is gone, until they are back.

The service is one as operators run it: processes of its own, a collector apart from those that answer.
"""

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Make, at_rest, opened
from tests.integration.running import Service, children, running, until

GRID = ("--demo", "--synthetic", "60x3", "--workers", "2", "--cycle-interval", "3", "--hang-timeout", "600")
"""Numbers that change with each cycle; whoever is stopped is not replaced."""

STATES = """
window.seen = [];
new MutationObserver(() => window.seen.push(document.getElementById("state").dataset.state))
  .observe(document.getElementById("state"), { attributeFilter: ["data-state"] });
"""
WHERE = """() => {
  const row = document.activeElement.closest("tr");
  return {
    names: [...document.querySelectorAll("#table tbody tr")].map(one => one.dataset.site),
    focus: row?.dataset.site,
    top: row?.getBoundingClientRect().top,
    sameDocument: window.same,
  };
}"""
NUMBERS = "() => document.querySelector('#table tbody').textContent"


def collector(service: Service) -> int:
    """Find the collector: of the service's processes the one that does not listen."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == service.port:
                sockets.add(f"socket:[{fields[9]}]")

    def listens(pid: int) -> bool:
        try:
            return any(str(path.readlink()) in sockets for path in Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            return True  # it ended meanwhile, or closed what it had

    def apart() -> int | None:
        found = [pid for pid in children(service.process.pid) if not listens(pid)]
        return found[0] if len(found) == 1 else None

    return int(until(apart, "a collector alone"))


def state(page: Page, wanted: str) -> None:
    page.locator(f"#state[data-state={wanted}]").wait_for()


def newer(page: Page) -> None:
    """Wait until the table shows other numbers."""
    page.wait_for_function(f"old => ({NUMBERS})() !== old", arg=page.evaluate(NUMBERS))


def settle(page: Page) -> Any:
    """Go to a row far below, and give where one is."""
    state(page, "live")
    page.evaluate("window.same = true")
    link = page.locator("#table tbody tr a").nth(40)
    link.scroll_into_view_if_needed()
    link.focus()
    at_rest(page)
    return where(page)


def where(page: Page) -> Any:
    """Tell where one is: the same place is the same to a few pixels."""
    found = page.evaluate(WHERE)
    return found | {"top": pytest.approx(found["top"], abs=4)}


def test_the_page_says_what_it_knows_whatever_becomes_of_the_service(tmp_path: Path, contexts: Make) -> None:
    with running(tmp_path, *GRID) as service:
        context = contexts(f"https://localhost:{service.port}", service.pki / "reader.pem")
        page = opened(context, f"{service.base}/?sort=-running_jobs")
        before = settle(page)
        newer(page)

        stopped = collector(service)
        os.kill(stopped, signal.SIGSTOP)
        try:
            state(page, "stale")
            page.evaluate(STATES)
            word = page.locator("#state b")
            expect(word).to_have_text(re.compile(r"^stale by (\d+ (s|min|h)( \d+ (s|min))?)$"))
            said = word.inner_text()
            expect(word).not_to_have_text(said)  # it ticks
            until(lambda: 'data-state="stale"' in service.curl("/")[1], "a page that says it of itself")
            assert set(page.evaluate("window.seen")) <= {"stale"}
            assert page.evaluate(WHERE) == before
        finally:
            os.kill(stopped, signal.SIGCONT)
        state(page, "live")
        newer(page)
        assert page.evaluate(WHERE) == before

    state(page, "offline")
    assert "the service does not answer" in page.locator("#state").inner_text()
    shown = page.evaluate(NUMBERS)
    assert page.evaluate(WHERE) == before
    with running(tmp_path, *GRID, "--port", str(service.port)):
        state(page, "live")
        page.wait_for_function(f"old => ({NUMBERS})() !== old", arg=shown)
        assert page.evaluate(WHERE) == before
