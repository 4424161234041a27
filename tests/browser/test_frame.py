"""The frame of every page, in a real browser: under the content policy, with a client's certificate."""

import re

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Route, expect

from tests.browser.conftest import Enter, at_rest, opened
from tests.browser.screenshots import pages
from tests.browser.site import PAINTED, Site


def test_the_line_of_state_is_there_without_a_script_and_ticks_with_one(enter: Enter, site: Site) -> None:
    plain = opened(enter(java_script_enabled=False), site.url())
    assert re.search(r"snapshot\s12 s old at 2026-01-01 12:00:00 UTC", plain.locator("#state").inner_text())
    assert plain.locator("#state button").count() == 0
    live = opened(enter(), site.url())
    live.locator("#state[data-state=live]").wait_for()
    before = live.locator("#state .age").inner_text()
    live.wait_for_function("old => document.querySelector('#state .age').textContent !== old", arg=before)


MOVED = """() => new Promise((resolve) => {
  const moved = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      moved.push([entry.value, ...entry.sources.map((one) => one.node?.outerHTML ?? one.node?.textContent)]);
    }
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(moved), 0));
})"""
STILL = 0.01
"""The most that may move of a page: a share of the window, times how far. Up to 0.1 is called good."""


def opened_late(context: BrowserContext, url: str) -> Page:
    """Open a page whose script comes only once the page was seen."""
    page, held, seen = context.new_page(), list[Route](), False

    def hold(route: Route) -> None:
        if seen:
            route.continue_()
        else:
            held.append(route)

    page.route("**/static/main.*.js", hold)
    page.goto(url, wait_until="commit")
    page.evaluate(PAINTED)
    seen = True
    for route in held:
        route.continue_()
    if page.locator("script").count():
        page.locator("html.scripted").wait_for(state="attached")
    return page


def test_nothing_moves_where_a_page_comes_alive(enter: Enter, site: Site) -> None:
    """What a script adds had its place before, however late the script comes."""
    found = {}
    for name, path in pages().items():
        page = opened_late(enter("operator"), site.url(path))
        at_rest(page)
        moved = page.evaluate(MOVED)
        if sum(how_far for how_far, *_ in moved) > STILL:
            found[name] = moved
        page.context.close()
    assert found == {}


def test_nobody_gets_a_script_in(enter: Enter, site: Site) -> None:
    """Inline scripts, handlers, styles, and text that would become markup: each is refused by the browser."""
    page = opened(enter(), site.url())
    refused = page.evaluate(
        """() => {
          const tried = {
            html: () => { document.body.innerHTML = "<p>"; },
            script: () => { document.createElement("script").text = "1"; },
            policy: () => trustedTypes.createPolicy("any", {}),
          };
          return Object.entries(tried).filter(([, each]) => {
            try { each(); return false; } catch { return true; }
          }).map(([name]) => name);
        }"""
    )
    assert refused == ["html", "script", "policy"]


def test_without_a_certificate_nobody_gets_in(enter: Enter, site: Site) -> None:
    page = enter(None).new_page()
    with pytest.raises(Error, match="ERR_"):
        page.goto(site.url())


def test_times_are_told_in_ones_own_zone_where_one_points(enter: Enter, site: Site) -> None:
    page = opened(enter(timezone_id="Asia/Kolkata", locale="en-GB"), site.url("/about"))
    time = page.locator("footer time").last
    assert time.inner_text() == "2026-01-01 12:00 UTC"
    time.hover()
    expect(time).to_have_attribute("title", re.compile(r"01/01/2026, 17:30:00 GMT\+5:30"))
