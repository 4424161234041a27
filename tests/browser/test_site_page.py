"""The page of one site in a browser: charts, permalinks, and overrides by those who may."""

from urllib.parse import quote

import pytest
from msgspec import structs
from playwright.sync_api import Page, expect

from rcmon.timestamps import iso
from tests.browser.conftest import Enter, at_rest, opened
from tests.browser.grid import make_grid
from tests.browser.site import PATIENCE, Site
from tests.web.api.test_then import keep
from tests.web.grid import NOW, make_snapshot
from tests.web.page.test_site_page import HOSTILE, hostile

SITE = "T2_CH_CERN"
expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="module", autouse=True)
def storied(site: Site) -> None:
    """Let there have been cycles before: the last two hours have a history."""
    earlier = [structs.replace(make_snapshot(seed=seed), started=NOW - 600 * seed) for seed in (12, 5, 2)]
    site.run(lambda: keep(site.serving, *earlier))
    site.publish(make_grid())


def on_site(
    enter: Enter, site: Site, persona: str = "reader", query: str = "", name: str = SITE, **options: object
) -> Page:
    return opened(enter(persona, **options), site.url(f"/sites/{name}{query}"))


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        field = page.locator(f"#set [name={name}]")
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def preview(page: Page) -> None:
    page.locator("#set button.primary", has_text="Preview").click()


def test_an_operator_sets_an_override_after_its_preview_and_undoes_it(enter: Enter, site: Site) -> None:
    page = on_site(enter, site, "operator")
    expect(page.locator("#override")).to_contain_text("Nothing is set.")
    fill(page, state="Draining", reason="cooling fails")
    preview(page)
    foreseen = page.locator("#set .preview")
    expect(foreseen).to_contain_text("What it would do")
    expect(foreseen.locator("tbody tr")).to_have_count(3)
    expect(foreseen).to_contain_text("Draining")
    expect(page.locator("#override tr[data-override]")).to_have_count(0)
    foreseen.locator("button[data-confirm]").click()
    expect(page.locator("#set .said")).to_contain_text("Done.")
    row = page.locator("#override tr[data-override]")
    expect(row).to_contain_text("cooling fails")
    page.locator("#set .said button", has_text="Undo").click()
    expect(page.locator("#set .said")).to_contain_text("Undone")
    expect(row).to_have_count(0)


def test_an_operator_ends_one_in_one_agent(enter: Enter, site: Site) -> None:
    page = on_site(enter, site, "operator", name="T2_DE_DESY")
    fill(page, agent="vocms0281", pending_slots="10", mode="latched", reason="drain it slowly")
    preview(page)
    page.locator("#set button[data-confirm]").click()
    row = page.locator("#override tr[data-override=vocms0281]")
    expect(row).to_contain_text("10 pending slots")
    row.locator("[data-end]").click()
    page.locator("#set button[data-confirm]").click()
    expect(page.locator("#set .said")).to_contain_text("Ended.")
    expect(row).to_have_count(0)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"reason": "r"}, "state", "Nothing is set"),
        ({"state": "Down"}, "reason", "a reason is needed"),
        ({"running_slots": "many", "reason": "r"}, "running_slots", "no whole number"),
        ({"running_slots": "5000000", "reason": "r"}, "running_slots", "running_slots"),
        (
            {"state": "Down", "mode": "latched", "until": "2026-01-02T00:00", "reason": "r"},
            "until", "until a time",
        ),
        ({"state": "Down", "until": "2024-01-01T00:00", "reason": "r"}, "until", "later than now"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field(
    enter: Enter, site: Site, values: dict[str, str], field: str, words: str
) -> None:
    page = on_site(enter, site, "operator")
    fill(page, **values)
    preview(page)
    wrong = page.locator(f".field:has([name={field}]) .wrong")
    expect(wrong).to_contain_text(words)
    expect(page.locator(f"#set [name={field}]")).to_be_focused()
    expect(page.locator("#set .preview")).to_be_hidden()


def test_what_somebody_changed_meanwhile_is_not_overwritten(enter: Enter, site: Site) -> None:
    first, second = (on_site(enter, site, "operator", name="T2_IT_Pisa") for _ in range(2))
    for page in (first, second):
        page.evaluate("document.getElementById('main').removeAttribute('data-refresh')")
        fill(page, state="Draining", reason="whoever is first")
        preview(page)
        page.locator("#set button[data-confirm]").wait_for()
    fill(second, reason="another reason")
    preview(second)
    second.locator("#set .preview:not([hidden]) button[data-confirm]").wait_for()
    first.locator("#set button[data-confirm]").click()
    expect(first.locator("#set .said")).to_contain_text("Done.")
    second.locator("#set button[data-confirm]").click()
    expect(second.locator("#set .said")).to_contain_text("Somebody changed it meanwhile")
    first.locator("#set .said button", has_text="Undo").click()
    expect(first.locator("#set .said")).to_contain_text("Undone")


def test_a_reader_sees_that_it_is_not_theirs_and_is_refused(enter: Enter, site: Site) -> None:
    page = on_site(enter, site)
    expect(page.locator("#set button.primary")).to_be_disabled()
    expect(page.locator("#override .denied")).to_contain_text("needs the role operator")
    # whoever enables the form in their browser is refused by the service
    page.evaluate("document.querySelector('#set fieldset').disabled = false")
    fill(page, state="Down", reason="let me")
    preview(page)
    expect(page.locator("#set .said")).to_contain_text("This needs the role operator")


def test_charts_are_drawn_with_the_thresholds_and_hold_a_table_of_the_same(enter: Enter, site: Site) -> None:
    page = on_site(enter, site, query="?range=1h")
    for name in ("running", "pending"):
        chart = page.locator(f"#chart-{name} .uplot")
        chart.wait_for()
        assert int(chart.get_attribute("data-points") or 0) >= 60
        drawn = chart.locator("canvas").evaluate(
            """canvas => {
              const drawing = canvas.getContext("2d");
              const { data } = drawing.getImageData(0, 0, canvas.width, canvas.height);
              return data.filter((value, place) => place % 4 === 3 && value > 0).length;
            }"""
        )
        assert drawn > 500
        expect(page.locator(f"#chart-{name} .u-legend")).to_contain_text(f"{name} slots")
    page.locator("#table summary").click()
    expect(page.locator("#table tbody tr").first).to_contain_text("UTC")


def test_without_a_script_it_has_pictures_and_says_what_needs_one(enter: Enter, site: Site) -> None:
    page = on_site(enter, site, "operator", java_script_enabled=False)
    assert page.locator(".plot path.line").count() == 2
    assert page.locator("#set button.primary").is_hidden()
    assert page.locator("#override noscript, #override p", has_text="Changing needs a script").count() >= 1
    page.locator("#numbers-vocms0281 summary").click()
    assert page.locator("#numbers-vocms0281 table").is_visible()
    page.locator("#past select[name=range]").select_option("1w")
    page.locator("#past form button").click()
    assert "range=1w" in page.url
    assert page.locator("#past select[name=range]").input_value() == "1w"


def test_a_permalink_is_of_its_moment_and_does_not_move(enter: Enter, site: Site) -> None:
    page = on_site(enter, site, query="?range=6h")
    page.locator("a.permalink").click()
    then = page.locator(".then")
    expect(then).to_contain_text("As of 2026-01-01")
    assert "range=6h" in page.url
    assert page.locator("main[data-refresh]").count() == 0
    then.locator("a", has_text="as of now").click()
    page.locator(".then").wait_for(state="detached")
    assert "range=6h" in page.url


def test_a_newer_snapshot_comes_into_the_page_and_takes_nothing_from_it(
    enter: Enter, published: Site
) -> None:
    page = on_site(enter, published, "operator")
    fill(page, reason="half a sentence")
    page.locator("#numbers-vocms0281 summary").click()
    page.locator("#chart-running .uplot").wait_for()
    # rows above may become higher or lower: what one reads stays where it is all the same
    top = "() => Math.round(document.querySelector('#past h2').getBoundingClientRect().top)"
    page.evaluate("() => document.getElementById('past').scrollIntoView()")
    at_rest(page)
    before, stood = page.locator("#agents tbody tr").first.inner_text(), page.evaluate(top)
    published.publish(make_grid(NOW - 2, seed=11))
    page.evaluate("document.querySelector('#state button')?.click()")
    page.evaluate("document.querySelector('#state button')?.click()")  # going on asks anew
    page.wait_for_function("old => document.querySelector('#agents tbody tr').innerText !== old", arg=before)
    assert page.locator("#set [name=reason]").input_value() == "half a sentence"
    assert page.locator("#numbers-vocms0281").get_attribute("open") is not None
    assert abs(page.evaluate(top) - stood) <= 1
    page.wait_for_function("to => document.getElementById('charts').dataset.drawn === to", arg=iso(NOW - 2))


def test_an_operator_acknowledges_a_finding_and_ends_that(enter: Enter, site: Site) -> None:
    page = on_site(enter, site, "operator", name="T2_US_MIT")
    page.locator("#findings summary").click()
    page.locator("#findings [name=reason]").fill("known since Monday")
    page.locator("#findings form button").click()
    expect(page.locator("#findings .acknowledged")).to_contain_text("known since Monday")
    page.locator("#findings [data-unacknowledge]").click()
    expect(page.locator("#findings .acknowledged")).to_have_count(0)


def test_lines_are_copied(enter: Enter, site: Site) -> None:
    context = enter("reader", permissions=["clipboard-read", "clipboard-write"])
    page = opened(context, site.url(f"/sites/{SITE}"))
    page.locator("[data-copy]", has_text="Copy").first.click()
    expect(page.locator("button", has_text="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"curl --cert me.pem --cacert ca.crt {site.url(f'/api/sites/{SITE}')}"


@pytest.mark.parametrize("path", [f"/sites/{SITE}", "/agents/vocms0281", "/sites/nothing"])
def test_nothing_is_wider_than_a_telephone(enter: Enter, site: Site, path: str) -> None:
    page = opened(enter("operator", viewport={"width": 360, "height": 800}), site.url(path))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_an_agents_page_brings_to_its_sites_and_findings(enter: Enter, site: Site) -> None:
    page = opened(enter(), site.url("/agents/vocms0281"))
    expect(page.locator("h1")).to_have_text("vocms0281")
    expect(page.locator("#workers tbody tr").first).to_contain_text("no heartbeat for 3 h")
    expect(page.locator("#findings")).to_contain_text("has had no heartbeat for 3 h")


def test_names_of_others_stay_text_through_a_refresh(enter: Enter, published: Site) -> None:
    snapshot = hostile()
    published.publish(snapshot)
    page = opened(enter("operator"), published.url(f"/sites/{quote(HOSTILE, safe='')}"))
    expect(page.locator("h1")).to_have_text(HOSTILE)
    page.evaluate("() => { window.asked = 0; window.alert = () => { window.asked += 1; }; }")
    published.publish(structs.replace(snapshot, started=NOW - 1))
    page.wait_for_function("to => document.getElementById('charts').dataset.to === to", arg=iso(NOW - 1))
    assert page.evaluate("window.asked") == 0
    fill(page, agent=HOSTILE, state="Down", reason="<b>why</b>")
    preview(page)
    expect(page.locator("#set .preview tbody th")).to_have_text(HOSTILE)
