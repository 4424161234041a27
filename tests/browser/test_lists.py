"""Pages of lists in a real browser: what operators change there, and that nobody needs a script to read."""

import pytest

from tests.browser.conftest import Enter, opened
from tests.browser.screenshots import pages
from tests.browser.site import Site
from tests.docs.texts import CHAPTERS


@pytest.fixture(scope="module")
def site(troubled: Site) -> Site:
    return troubled


def test_an_operator_rejects_what_is_held_and_says_why(enter: Enter, troubled: Site) -> None:
    page = opened(enter("operator"), troubled.url("/quarantine"))
    page.locator("#held-leaving-1 input[name=reason]").fill("a slip upstream")
    page.locator("#held-leaving-1 button[value=reject]").click()
    page.locator("#held-leaving-1 .decision-rejected").wait_for()
    assert "a slip upstream" in page.locator("#held-leaving-1").inner_text()


def test_an_operator_ends_an_override_by_pressing_twice(enter: Enter, troubled: Site) -> None:
    page = opened(enter("operator"), troubled.url("/overrides?site=FNAL"))
    button = page.locator("button[data-end]")
    button.click()
    assert "sure?" in button.inner_text()
    button.click()
    page.get_by_text("There are no overrides.", exact=False).or_(
        page.locator(".honest-unmatched")
    ).first.wait_for()


def test_an_operator_acknowledges_a_finding_on_its_page(enter: Enter, troubled: Site) -> None:
    page = opened(enter("operator"), troubled.url("/findings?kind=draining_long"))
    page.locator("#acknowledge-d4 summary").click()
    page.locator("#acknowledge-d4 input[name=reason]").fill("the site knows")
    page.locator("#acknowledge-d4 button.primary").click()
    page.locator("#finding-d4 .acknowledged").wait_for()
    assert "the site knows" in page.locator("#finding-d4").inner_text()


def test_what_somebody_else_acknowledges_is_seen_at_once(enter: Enter, troubled: Site) -> None:
    page = opened(enter(), troubled.url("/findings"))
    page.locator("#state[data-state=live]").wait_for()
    page.evaluate("window.same = true")
    at = troubled.url("/api/findings/c3/acknowledgement")
    other = enter("operator").request
    headers = {"X-Requested-With": "rcmon"}
    assert other.put(at, data={"reason": "it is being restarted"}, headers=headers).ok
    page.locator("#finding-c3 .acknowledged", has_text="it is being restarted").wait_for()
    assert other.delete(at, headers=headers).ok
    page.locator("#finding-c3 .acknowledged").wait_for(state="detached")
    assert page.evaluate("window.same")


def test_lists_are_read_and_filtered_without_a_script(enter: Enter, troubled: Site) -> None:
    page = opened(enter("operator", java_script_enabled=False), troubled.url("/journal"))
    page.locator("select[name=kind]").select_option("state")
    page.locator("input[name=site]").fill("T1_US_FNAL")
    page.locator("button.primary").click()
    assert page.url.count("kind=state") == 1
    assert "1 of 1 entries" in page.locator(".paging").inner_text()
    assert page.locator("button:visible").count() == 1, "what needs a script is not shown"


def test_no_page_is_wider_than_a_telephone_a_narrow_window_or_paper(enter: Enter, troubled: Site) -> None:
    page = enter("operator").new_page()
    wide = {}
    chapters = {path.name: f"/docs/{path.stem}" for path in CHAPTERS if path.stem != "README"}
    for name, path in {**pages(), **chapters}.items():
        page.goto(troubled.url(path))
        for media, given in (("screen", 360), ("screen", 820), ("print", 718)):
            page.set_viewport_size({"width": given, "height": 780})
            page.emulate_media(media=media)
            if (width := page.evaluate("document.documentElement.scrollWidth")) > given:
                wide[name, media, given] = width
    assert wide == {}


def test_the_page_of_the_api_finds_and_opens(enter: Enter, troubled: Site) -> None:
    page = opened(enter(), troubled.url("/api#getWhoami"))
    page.locator("#getWhoami[open]").wait_for()
    page.locator("#find").fill("quarantine")
    assert page.locator("#getWhoami").is_hidden()
    assert page.locator("#getQuarantine").is_visible()
