"""The page: everything at a glance without a script, with every value escaped and every link alive."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec import structs

from rcmon.web.about import BASE
from rcmon.web.app import TABLE
from rcmon.web.page.overview import Share, span, totals
from rcmon.web.page.static_files import read_static
from tests.web.grid import DIFFERING, SITES, STATELESS, make_snapshot
from tests.web.service import Service

VOID = {"meta", "link", "img", "input", "br", "hr", "rect"}


class Page(HTMLParser):
    """Reads a page strictly: every element that begins must end in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if {"td", "th"} & set(self.open) and self.rows:
            self.rows[-1][-1] += data.strip() + " "

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def row(self, name: str) -> list[str]:
        (found,) = [row for row in self.rows if row and row[0].strip() == name]
        return [re.sub(r"[ \n]+", " ", cell).strip() for cell in found]


async def page(service: Service, query: str = "", persona: str = "reader") -> Page:
    answer = await service.ask(f"/{query}", persona)
    assert answer.code == 200, answer.body
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(answer.body.decode())


async def test_it_shows_the_state_of_all_sites(service: Service) -> None:
    seen = await page(service)
    snapshot = make_snapshot()
    for name in SITES:
        row = seen.row(name)
        site = snapshot.sites[name]
        assert row[1] == site.tier
        assert row[3].replace("\N{NARROW NO-BREAK SPACE}", "") == str(site.jobs.running)
    assert seen.row("T2_US_MIT")[2] == "Normal cmsgwms-submit4, vocms0282 Draining vocms0281"
    assert seen.row(STATELESS)[2] == "unknown"
    marked = [row for row in seen.all("tr") if row.get("class") == "differs"]
    assert len(marked) == len(DIFFERING)


async def test_it_says_who_the_caller_is_and_what_there_is(service: Service) -> None:
    for persona in ("reader", "admin"):
        seen = await page(service, persona=persona)
        text = " ".join(seen.text)
        assert str(service.pki.subjects[persona]) in text
        assert persona in text
        for handler in TABLE:
            assert BASE + handler.route in text
            assert handler.summary in text
    assert "no answer within 10 s" in " ".join(seen.text)
    assert "degraded" in text


async def test_it_needs_no_script_and_no_inline_style(service: Service) -> None:
    """The content policy forbids both: what slipped in would not work."""
    seen = await page(service)
    assert seen.all("script") == []
    assert seen.all("style") == []
    assert not any("style" in attributes for _, attributes in seen.elements)
    assert not any(name.startswith("on") for _, attributes in seen.elements for name in attributes)


async def test_every_link_leads_somewhere(service: Service) -> None:
    seen = await page(service)
    links = {str(link["href"]) for tag in ("a", "link") for link in seen.all(tag)}
    links |= {str(image["src"]) for image in seen.all("img")}
    anchors = {str(attributes["id"]) for _, attributes in seen.elements if "id" in attributes}
    for link in links:
        path, _, anchor = link.partition("#")
        assert not anchor or anchor in anchors, link
        if path:
            assert path.startswith(BASE), link
            assert (await service.ask(path.removeprefix(BASE))).code in (200, 308), link


async def test_the_table_is_readable_for_everybody(service: Service) -> None:
    seen = await page(service)
    assert len(seen.all("caption")) == len(seen.all("table"))
    assert {row.get("scope") for row in seen.all("th")} == {"col", "row"}
    assert all("alt" in image for image in seen.all("img"))
    assert all(drawing.get("aria-hidden") == "true" for drawing in seen.all("svg"))
    (html,) = seen.all("html")
    assert html["lang"] == "en"
    assert len(seen.all("h1")) == 1


async def test_the_form_filters_and_what_is_left_empty_counts_for_nothing(service: Service) -> None:
    seen = await page(service, "?site=T1_*&state=&tier=&agent=&sort=")
    assert [row[0].strip() for row in seen.rows if row and row[0].startswith("T")] == sorted(
        name for name in SITES if name.startswith("T1_")
    )
    seen = await page(service, "?state=differing")
    assert {row[0].strip() for row in seen.rows if row and row[0].startswith("T2")} == set(DIFFERING)
    seen = await page(service, "?site=T9*")
    assert "No site matches this filter." in " ".join(" ".join(seen.text).split())
    assert (await service.ask("/?tier=T7")).code == 400
    assert (await service.ask("/?limit=5")).code == 400


async def test_a_heading_sorts_and_turns_round(service: Service) -> None:
    seen = await page(service, "?tier=T1&sort=-running_jobs")
    jobs = [row[3] for row in seen.rows if row and row[0].startswith("T1_")]
    numbers = [int(text.replace("\N{NARROW NO-BREAK SPACE}", "")) for text in jobs]
    assert numbers == sorted(numbers, reverse=True)
    orders = [str(heading.get("aria-sort")) for heading in seen.all("th") if "aria-sort" in heading]
    assert orders == ["none", "none", "none", "descending", "none", "none", "none"]
    links = [str(link["href"]) for link in seen.all("a")]
    assert f"{BASE}/?tier=T1&sort=running_jobs#sites" in links
    assert f"{BASE}/?tier=T1&sort=-name#sites" not in links
    assert f"{BASE}/?tier=T1&sort=name#sites" in links


async def test_what_a_database_holds_is_escaped(service: Service) -> None:
    snapshot = make_snapshot()
    evil = '<img src=x onerror="alert(1)">&'
    site = structs.replace(snapshot.sites["T1_US_FNAL"], name=evil, state=evil, states={evil: ("vocms0281",)})
    source = structs.replace(snapshot.sources[0], name=evil, error=evil)
    await service.publish(structs.replace(snapshot, sites={evil: site}, sources=(source,)))
    seen = await page(service)
    assert [image["src"] for image in seen.all("img")] == [f"{BASE}/static/icon.svg"]
    assert evil in "".join(seen.text)


async def test_before_the_first_snapshot(empty_service: Service) -> None:
    seen = await page(empty_service)
    text = " ".join(" ".join(seen.text).split())
    assert "There is no snapshot yet." in text
    assert "No site is known yet." in text
    assert "unhealthy" in text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "\N{EN DASH}"),
        (0.0004, "0 ms"),
        (0.412, "412 ms"),
        (1, "1 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (192, "3 min 12 s"),
        (7_260, "2 h 1 min"),
        (86_400, "1 d"),
        (180_000, "2 d 2 h"),
    ],
)
def test_durations_in_words(seconds: float | None, expected: str) -> None:
    assert span(seconds) == expected


@pytest.mark.parametrize(
    ("jobs", "slots", "percent", "over"),
    [
        (5, 10, 50, False),
        (0, 10, 0, False),
        (12, 10, 100, False),
        (13, 10, 100, True),
        (5, None, None, False),
        (0, 0, 0, False),
        (1, 0, 100, True),
    ],
)
def test_shares(jobs: int, slots: int | None, percent: int | None, over: bool) -> None:
    share = Share(jobs, slots)
    assert (share.percent, share.over) == (percent, over)


def test_totals_of_nothing() -> None:
    none = totals([])
    assert (none.sites, none.bar, none.running) == (0, [], Share(0, None))


async def test_the_bar_is_whole(service: Service) -> None:
    assert service.board.current is not None
    bar = totals((await service.board.current.sites()).values()).bar
    assert sum(width for _, _, width in bar) == pytest.approx(100, abs=0.01)
    assert [start for _, start, _ in bar] == sorted(start for _, start, _ in bar)


def test_a_static_file_of_an_unknown_kind_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page.js").write_text("alert(1)")
    with pytest.raises(KeyError):
        read_static(tmp_path)
