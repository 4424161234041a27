"""The overview in a real browser: useful without a script, and calm with one."""

import json
import re

import pytest
from msgspec import structs
from playwright.sync_api import Page, expect

from rcmon.model import Jobs, Snapshot
from tests.browser.conftest import Enter, at_rest, opened
from tests.browser.grid import make_grid
from tests.browser.site import PATIENCE, Site
from tests.web.grid import AGENTS, NOW, SITES

BLOCKED = "T3_US_PSC"
"""A site that every agent holds as Aborted."""
expect.set_options(timeout=1000 * PATIENCE)


NAMES = "JSON.stringify([...document.querySelectorAll('#table tbody tr')].map(row => row.dataset.site))"


def names(page: Page) -> list[str]:
    found: list[str] = json.loads(page.evaluate(f"() => {NAMES}"))
    return found


def shows(page: Page, wanted: list[str]) -> None:
    """Wait until these are the rows: the first time, what they are made of is fetched first."""
    page.wait_for_function(f"wanted => {NAMES} === JSON.stringify(wanted)", arg=wanted)


def sort_by(page: Page, column: str) -> list[str]:
    """Sort, and give the names once the rows stand in another order."""
    before = names(page)
    page.locator(f"th.c-{column} a").click()
    expect(page.locator(f"th.c-{column}")).to_have_attribute("aria-sort", "descending")
    page.wait_for_function(f"old => {NAMES} !== JSON.stringify(old)", arg=before)
    return names(page)


def busier(site: str, jobs: int, started: float) -> Snapshot:
    """Make the grid with more jobs at a site."""
    grid = make_grid(started)
    more = structs.replace(grid.sites[site], jobs=Jobs(1, jobs))
    return structs.replace(grid, sites=grid.sites | {site: more})


def live(page: Page) -> Page:
    """Wait until the page is up to date by itself."""
    page.locator("#state[data-state=live]").wait_for()
    return page


def test_without_a_script_everything_is_there(enter: Enter, site: Site) -> None:
    page = opened(enter(java_script_enabled=False), site.url("/?tier=T1&sort=-running_jobs"))
    text = page.locator("main").inner_text()
    for said in (
        "Needs attention",
        "ErrorHandler of vocms0281",
        "1 of 6 components down",
        "Sites by agent",
        "at its limit",
    ):
        assert said in text
    assert set(names(page)) == {name for name in SITES if name.startswith("T1_")}
    assert "Acknowledge" not in text
    page.locator("#filter input[name=site]").fill("fnal")
    page.locator("#filter button").click()
    page.wait_for_url(re.compile("site=fnal"))
    assert names(page) == ["T1_US_FNAL"]


def test_the_maps_a_script_draws_are_those_of_the_service(page: Page) -> None:
    def drawn() -> object:
        return page.eval_on_selector_all(
            ".band svg",
            """all => all.map(svg => [svg.getAttribute("viewBox"), [...svg.querySelectorAll("text")].map(
              one => [one.getAttribute("x"), one.textContent]), [...svg.querySelectorAll("g path")].map(
              one => [one.getAttribute("stroke"), one.getAttribute("d")]).sort()])""",
        )

    before = drawn()
    page.locator("#filter input[name=site]").fill("T1_")
    expect(page.locator("#table tbody tr")).to_have_count(6)
    assert drawn() != before
    page.locator("#filter .clear").click()
    expect(page.locator("#table tbody tr")).to_have_count(len(SITES))
    assert drawn() == before


TYPED = ("fnal", "us_", "t1_*", "*_[de]?_*", "T2_DE, fnal", "[!T]*", "[", "(a+)+$", "\N{SNOWMAN}", "T?_CH*")


def test_what_is_typed_finds_at_once_what_the_service_finds(page: Page) -> None:
    for typed in TYPED:
        page.locator("#filter input[name=site]").fill(typed)
        page.wait_for_function(
            "typed => new URLSearchParams(location.search).getAll('site').join(', ') === typed", arg=typed
        )
        told = page.evaluate("fetch(location.href).then(answer => answer.text())")
        shows(page, re.findall('<tr data-site="(.+?)"', told))


def test_slash_goes_to_the_search_and_arrows_go_on_through_the_rows(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("fn")
    expect(page.locator("#table tbody tr")).to_have_count(1)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("T1_")
    expect(page.locator("#table tbody tr")).to_have_count(6)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == names(page)[1]
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.textContent") == names(page)[-1]


def test_sorting_and_filtering_load_nothing_anew_and_back_goes_back(page: Page, site: Site) -> None:
    page.evaluate("window.same = true")
    by_jobs = sort_by(page, "pending_jobs")
    page.locator("#filter select[name=tier]").select_option("T2")
    shows(page, [name for name in by_jobs if name.startswith("T2_")])
    assert page.url == site.url("/?tier=T2&sort=-pending_jobs")
    page.go_back()
    shows(page, by_jobs)
    page.go_back()
    expect(page.locator("th.c-name")).to_have_attribute("aria-sort", "ascending")
    shows(page, SITES)
    assert page.evaluate("window.same")


@pytest.mark.parametrize("script", [True, False])
def test_where_headings_are_hidden_a_field_sorts(enter: Enter, site: Site, script: bool) -> None:
    page = opened(
        enter(java_script_enabled=script, viewport={"width": 360, "height": 800}), site.url("/?tier=T1")
    )
    page.locator("#filter select[name=sort]").select_option(label="Running jobs, most first")
    if not script:
        page.locator("#filter button.primary").click()
    page.wait_for_url(re.compile("tier=T1.*sort=-running_jobs"))
    grid = make_grid().sites
    wanted = sorted(
        (name for name in SITES if name.startswith("T1_")), key=lambda name: -(grid[name].jobs.running or 0)
    )
    shows(page, wanted)


def test_an_address_says_all_of_the_view(enter: Enter, site: Site) -> None:
    view = (
        "/?site=de&state=Normal&tier=T2&agent=vocms0281&sort=-running_jobs&columns=state,running_jobs,agents"
    )
    shown = [opened(enter(java_script_enabled=script), site.url(view)) for script in (False, True)]
    live(shown[1])
    for page in shown:
        assert names(page) == names(shown[0]) != []
        assert page.locator("#filter select[name=agent]").input_value() == "vocms0281"
        assert page.locator("th.c-agents").is_visible()
        assert not page.locator("th.c-pending_jobs").is_visible()
        assert page.locator("th.c-running_jobs").get_attribute("aria-sort") == "descending"


def test_columns_are_chosen_and_this_very_view_is_there_as_csv(page: Page) -> None:
    page.locator("#filter input[name=site]").fill("cern")
    page.locator("#columns summary").click()
    page.locator("#columns input[value=tier]").uncheck()
    page.locator("#columns input[value=agents]").check()
    assert not page.locator("th.c-tier").is_visible()
    assert "columns=" in page.url
    csv = page.evaluate("fetch(document.getElementById('as-csv').href).then(answer => answer.text())")
    lines = csv.splitlines()
    assert lines[0] == "name,state,states,running_slots,pending_slots,running_jobs,pending_jobs,agents"
    assert (
        [line.partition(",")[0] for line in lines[1:]]
        == names(page)
        == [one for one in SITES if "CERN" in one]
    )


def test_a_map_is_gone_through_by_arrow_keys_and_says_the_reason(page: Page, site: Site) -> None:
    band = page.locator(".map[data-map=agents] .band")
    band.focus()
    page.keyboard.press("ArrowRight")
    said = page.locator("#square")
    expect(said).to_contain_text(f"{SITES[0]}, {min(AGENTS)}: open")
    for _ in range(SITES.index(BLOCKED)):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text(f"{BLOCKED}, vocms0281: blocked: The site is Aborted: it takes nothing.")
    expect(said).to_contain_text("takes nothing of vocms0281")  # what the service says of it, with names
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(BLOCKED))


def test_pointing_at_a_square_says_what_it_is(page: Page) -> None:
    svg = page.locator(".map[data-map=tasks] .band svg")
    svg.scroll_into_view_if_needed()
    svg.hover(position={"x": 14 * SITES.index(BLOCKED) + 5, "y": 16 + 5})
    expect(page.locator("#square")).to_contain_text(f"{BLOCKED}, Cleanup: blocked")


def test_an_update_moves_neither_rows_nor_scroll_nor_focus_nor_what_is_open(
    published: Site, page: Page
) -> None:
    live(page)
    before = sort_by(page, "running_jobs")
    last = before[-1]
    page.locator("#causes summary").click()
    page.locator("#columns summary").click()
    row = page.locator(f"tr[data-site={last}]")
    row.scroll_into_view_if_needed()
    row.locator("a").focus()
    at = at_rest(page)
    published.publish(busier(last, 1_234_567, NOW - 5))
    expect(row.locator(".c-running_jobs")).to_have_text(
        "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567"
    )
    assert names(page) == before
    assert page.evaluate("[scrollY, document.activeElement.textContent]") == [at, last]
    assert page.locator("#causes").get_attribute("open") is not None
    assert page.locator("#columns").get_attribute("open") is not None
    page.locator("#resort").click()  # the new order, now that it is asked for
    expect(page.locator("#table tbody tr").first).to_have_attribute("data-site", last)
    assert page.locator("#resort").is_hidden()


def test_rows_out_of_sight_cost_nothing_until_one_comes_to_them(page: Page) -> None:
    drawn = "row => row.querySelector('a').checkVisibility({contentVisibilityAuto: true})"
    last = page.locator("#table tbody tr").last
    assert not last.evaluate(drawn)
    last.locator("a").focus()
    page.wait_for_function(f"() => ({drawn})([...document.querySelectorAll('#table tbody tr')].at(-1))")
    page.emulate_media(media="print")
    first = page.locator("#table tbody tr").first
    page.wait_for_function(f"() => ({drawn})(document.querySelector('#table tbody tr'))")
    assert first.inner_text().startswith(SITES[0])


def test_a_site_that_goes_keeps_its_row_and_one_that_comes_waits(published: Site, page: Page) -> None:
    live(page)
    grid = make_grid(NOW - 5)
    gone, came = SITES[3], "T2_XX_Came"
    sites = {name: one for name, one in grid.sites.items() if name != gone}
    sites[came] = structs.replace(grid.sites[SITES[8]], name=came)
    published.publish(structs.replace(grid, sites=dict(sorted(sites.items()))))
    expect(page.locator(f"tr[data-site={gone}]")).to_have_class(re.compile("gone"))
    assert names(page) == SITES
    page.locator("#resort").click()
    expect(page.locator(f"tr[data-site={came}] a")).to_have_attribute("href", re.compile(came))
    assert gone not in names(page)


def test_where_a_table_cannot_hold_all_sites_the_service_filters(
    enter: Enter, published: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rcmon.web.handlers.page.MOST", 20)
    page = live(opened(enter(), published.url()))
    assert names(page) == SITES[:20]
    page.locator("#filter input[name=site]").fill("psc")
    expect(page.locator("#table tbody tr")).to_have_count(1)
    assert names(page) == [BLOCKED]
    published.publish(busier(BLOCKED, 77, NOW - 5))
    expect(page.locator(f"tr[data-site={BLOCKED}] .c-running_jobs")).to_have_text("77")
    assert page.evaluate("document.activeElement.name") == "site"


def test_names_of_others_never_become_markup(published: Site, page: Page) -> None:
    live(page)
    evil = '<img src=x onerror="alert(1)">&'
    grid = make_grid(NOW - 5)
    site = structs.replace(
        grid.sites[SITES[0]], name=evil, state=evil, states={evil: ("vocms0281",), "b": ("a<b",)}
    )
    published.publish(structs.replace(grid, sites=dict(sorted({**grid.sites, evil: site}.items()))))
    page.locator("#resort").click()
    row = page.locator("tr", has_text="<img src=x")
    expect(row.locator(".state").first).to_have_text(re.compile(re.escape(evil)))
    assert page.locator("main img").count() == 0


def test_where_the_collector_stops_the_page_says_by_how_much_it_is_late(
    enter: Enter, published: Site, page: Page
) -> None:
    live(page)
    published.serving.now += 400
    published.publish(make_grid(NOW - 11))
    expect(page.locator("#state")).to_have_attribute("data-state", "stale")
    expect(page.locator("#state b")).to_have_text(re.compile(r"stale by 5 min \d+ s"))
    without = opened(enter(java_script_enabled=False), published.url())
    assert "stale" in without.locator("#state").inner_text()


def test_where_the_service_is_gone_the_page_says_offline_and_comes_back(enter: Enter, site: Site) -> None:
    context = enter()
    page = live(opened(context, site.url()))
    before = names(page)
    context.route("**/api/**", lambda route: route.abort("connectionrefused"))
    page.evaluate(
        """async () => {
          const live = document.querySelector('link[rel=modulepreload][href*="/live."]').href;
          (await import(live)).reconnect();
        }"""
    )
    expect(page.locator("#state")).to_have_attribute("data-state", "offline")
    assert names(page) == before
    context.unroute("**/api/**")
    live(page)


def test_a_pause_holds_everything_until_it_ends(published: Site, page: Page, enter: Enter) -> None:
    other = live(opened(enter(), published.url()))
    live(page)
    page.locator("#state button").click()
    expect(page.locator("#state")).to_have_attribute("data-state", "paused")
    cell = page.locator(f"tr[data-site={SITES[2]}] .c-running_jobs")
    before = cell.inner_text()
    published.publish(busier(SITES[2], 77, NOW - 5))
    expect(other.locator(f"tr[data-site={SITES[2]}] .c-running_jobs")).to_have_text("77")
    assert cell.inner_text() == before
    page.locator("#state button").click()
    expect(cell).to_have_text("77")
    live(page)


def test_an_operator_acknowledges_and_ends_that_again(enter: Enter, site: Site) -> None:
    page = live(opened(enter("operator"), site.url()))
    finding = page.locator("#finding-c3")
    finding.locator("summary").click()
    finding.locator("input[name=reason]").fill("it is being restarted")
    finding.locator("button").click()
    page.locator("#known summary").click()
    expect(page.locator("#finding-c3 .acknowledged")).to_contain_text("it is being restarted")
    page.locator("#finding-c3 button").click()
    expect(page.locator("#finding-c3 .acknowledged")).to_have_count(0)


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 800}}])
def test_nothing_is_wider_than_the_window(enter: Enter, site: Site, options: dict[str, object]) -> None:
    page = live(opened(enter(**options), site.url()))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(245, 246, 248)"
    assert dark == ("color_scheme" in options)


def test_on_paper_stand_the_data_and_no_controls(page: Page) -> None:
    live(page)
    assert not page.locator(".on-paper").is_visible()
    page.set_viewport_size({"width": 718, "height": 1040})  # of A4
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator("#filter").is_visible()
    assert page.locator("#table tbody tr").first.is_visible()
    assert page.locator("#attention").is_visible()
    assert page.locator("#state").inner_text() == "snapshot of 2026-01-01 11:59:48 UTC", "paper does not tick"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
