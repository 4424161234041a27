"""The frame of every page, in a real browser: under the content policy, with a client's certificate."""

import re

import pytest
from playwright.sync_api import Error, expect

from tests.browser.conftest import Enter, opened
from tests.browser.site import Site


def test_the_line_of_state_is_there_without_a_script_and_ticks_with_one(enter: Enter, site: Site) -> None:
    plain = opened(enter(java_script_enabled=False), site.url())
    assert "old when this page was made" in plain.locator("#state").inner_text()
    assert plain.locator("#state button").count() == 0
    live = opened(enter(), site.url())
    live.locator("#state[data-state=live]").wait_for()
    before = live.locator("#state .age").inner_text()
    live.wait_for_function("old => document.querySelector('#state .age').textContent !== old", arg=before)


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
