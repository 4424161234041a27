"""The page: everything at a glance without a script, with every value escaped and every link alive."""

import json
import re
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from urllib.parse import quote

import pytest
from msgspec import structs

from rcmon.model import Component, Worker
from rcmon.process.trouble import Ending
from rcmon.web.about import BASE
from rcmon.web.page.agents import agent_rows
from rcmon.web.page.assets import STATIC, Assets
from rcmon.web.page.honest import LINE
from rcmon.web.page.overview import Share, span, totals
from rcmon.web.page.paths import agent_page
from tests.web.grid import DIFFERING, NOW, SITES, STATELESS, make_snapshot
from tests.web.pki import CREDENTIALS, subject
from tests.web.serving import Serving

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


async def page(service: Serving, query: str = "", persona: str = "reader") -> Page:
    answer = await service.ask(f"/{query}", persona)
    assert answer.code == 200, answer.body
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(answer.body.decode())


async def test_it_shows_the_state_of_all_sites(service: Serving) -> None:
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


async def test_it_says_who_the_caller_is_and_how_the_service_does(service: Serving) -> None:
    for persona in ("reader", "admin"):
        seen = await page(service, persona=persona)
        text = " ".join(seen.text)
        assert str(subject(CREDENTIALS[persona])) in text
        assert persona in text
    assert "no answer within 10 s" in " ".join(seen.text)
    assert "degraded" in text


async def test_an_age_is_told_as_of_when_the_page_was_made(service: Serving) -> None:
    """A page that is left open must not pretend that its ages are of now."""
    text = " ".join("".join((await page(service)).text).split())
    assert "snapshot 12 s old at 2026-01-01 12:00:00 UTC" in text
    assert "page made 2026-01-01 12:00 UTC" in text


async def test_it_has_no_inline_script_and_no_inline_style(service: Serving) -> None:
    """The content policy forbids both: what slipped in would not work."""
    seen = await page(service)
    assert all(script["type"] == "module" and script["src"] for script in seen.all("script"))
    assert seen.all("style") == []
    assert not any("style" in attributes for _, attributes in seen.elements)
    assert not any(name.startswith("on") for _, attributes in seen.elements for name in attributes)


async def test_every_link_leads_somewhere(service: Serving) -> None:
    seen = await page(service)
    links = {str(link["href"]) for tag in ("a", "link") for link in seen.all(tag)}
    links |= {str(image["src"]) for image in seen.all("img")}
    anchors = {str(attributes["id"]) for _, attributes in seen.elements if "id" in attributes}
    for link in links:
        path, _, anchor = link.partition("#")
        assert not anchor or anchor in anchors, link
        if path and not path.endswith("/events"):  # which never end
            assert path == "/" or path.startswith(BASE), link
            assert (await service.ask(f"/{path}")).code in (200, 308), link


async def test_the_table_is_readable_for_everybody(service: Serving) -> None:
    seen = await page(service)
    assert len(seen.all("caption")) == len(seen.all("table"))
    assert {row.get("scope") for row in seen.all("th")} == {"col", "row"}
    assert all("alt" in image for image in seen.all("img"))
    assert all(drawing.get("aria-hidden") == "true" for drawing in seen.all("svg"))
    (html,) = seen.all("html")
    assert html["lang"] == "en"
    assert len(seen.all("h1")) == 1


async def test_the_form_filters_and_what_is_left_empty_counts_for_nothing(service: Serving) -> None:
    seen = await page(service, "?site=T1_*&state=&tier=&agent=&sort=")
    assert [row[0].strip() for row in seen.rows if row and row[0].startswith("T")] == sorted(
        name for name in SITES if name.startswith("T1_")
    )
    seen = await page(service, "?state=differing")
    assert {row[0].strip() for row in seen.rows if row and row[0].startswith("T2")} == set(DIFFERING)
    seen = await page(service, "?site=T9*")
    assert "No site matches this filter." in " ".join(" ".join(seen.text).split())


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("fnal", {"T1_US_FNAL"}),
        ("us_", {name for name in SITES if "US_" in name}),
        (" desy , fnal,", {"T2_DE_DESY", "T1_US_FNAL"}),
        ("t1_*", {name for name in SITES if name.startswith("T1_")}),
        ("T1_", {name for name in SITES if name.startswith("T1_")}),
        ("*_[de]?_*", {name for name in SITES if name[3] in "DE"}),
        ("(a+)+$", set()),
        ("[", set()),
        ("T2 DE", set()),
        ("\N{SNOWMAN}", set()),
    ],
)
async def test_a_name_is_found_by_any_part_in_any_case(
    service: Serving, typed: str, expected: set[str]
) -> None:
    seen = await page(service, f"?site={quote(typed)}&state=&tier=&agent=")
    assert {row[0].strip() for row in seen.rows if row and row[0].strip() in SITES} == expected
    (field,) = [field for field in seen.all("input") if field["name"] == "site"]
    assert field["value"] in (typed, typed.removesuffix(","))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?tier=T7&site=fnal", "Parameter 'tier' has the value 'T7'; allowed is any of T0, T1, T2, T3."),
        ("?limit=5&site=fnal", "Unknown parameter 'limit'"),
        ("?state=%3Cb%3E&tier=T9&site=fnal", "Parameter 'tier' has the value 'T9'"),
        ("?agent=%00&site=fnal", "Parameter 'agent'"),
        ("?sort=%FF&site=fnal", "Parameter 'sort'"),
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "*/*", "application/json"])
async def test_what_the_form_cannot_mean_is_said_above_the_form(
    service: Serving, query: str, message: str, accept: str
) -> None:
    answer = await service.ask(f"/{query}", Accept=accept)
    assert answer.code == 400
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    seen = Page(answer.body.decode())
    assert message in " ".join(seen.text)
    (typed,) = [field for field in seen.all("input") if field["name"] == "site"]
    assert typed["value"] == "fnal"  # what was understood stays, and is shown
    assert [row[0].strip() for row in seen.rows if row and row[0].strip() in SITES] == ["T1_US_FNAL"]


async def test_a_heading_sorts_and_turns_round(service: Serving) -> None:
    seen = await page(service, "?tier=T1&sort=-running_jobs")
    jobs = [row[3] for row in seen.rows if row and row[0].startswith("T1_")]
    numbers = [int(text.replace("\N{NARROW NO-BREAK SPACE}", "")) for text in jobs]
    assert numbers == sorted(numbers, reverse=True)
    orders = [str(heading.get("aria-sort")) for heading in seen.all("th") if "aria-sort" in heading]
    assert orders == ["none", "none", "none", "descending", "none", "none", "none", "none"]
    links = [str(link["href"]) for link in seen.all("a")]
    assert f"{BASE}/?tier=T1&sort=running_jobs#sites" in links
    assert f"{BASE}/?tier=T1&sort=-name#sites" not in links
    assert f"{BASE}/?tier=T1&sort=name#sites" in links


async def test_what_a_database_holds_is_escaped(service: Serving) -> None:
    snapshot = make_snapshot()
    evil = '<img src=x onerror="alert(1)">&'
    site = structs.replace(snapshot.sites["T1_US_FNAL"], name=evil, state=evil, states={evil: ("vocms0281",)})
    source = structs.replace(snapshot.sources[0], name=evil, error=evil)
    await service.publish(structs.replace(snapshot, sites={evil: site}, sources=(source,)))
    seen = await page(service)
    assert [image["src"] for image in seen.all("img")] == [Assets().url("icon.svg")]
    assert evil in "".join(seen.text)


async def test_the_words_of_the_line_of_state_stand_in_one_place(service: Serving) -> None:
    (line,) = [found for found in (await page(service)).all("div") if found.get("id") == "state"]
    assert json.loads(line["data-words"]) == {key: list(said) for key, said in LINE.items()}
    script = (STATIC / "state.js").read_text()
    assert not [said for said in chain(*LINE.values()) if len(said.split()) > 1 and said in script]


async def test_a_line_of_attention_names_site_and_agent(service: Serving) -> None:
    snapshot = make_snapshot()
    one = structs.replace(
        snapshot.findings[0], site="T3_US_UMiss", agent="vocms0281", message="no slots at T3_US_UMiss"
    )
    await service.publish(structs.replace(snapshot, findings=(one,)))
    seen = await page(service)
    assert [found["href"] for found in seen.all("a") if found.get("class") == "where"] == [
        agent_page("vocms0281")
    ]


async def test_where_the_service_itself_is_not_well_that_needs_attention(service: Serving) -> None:
    await service.publish(structs.replace(make_snapshot(), findings=()))
    service.now += 400
    text = " ".join(" ".join((await page(service)).text).split())
    assert "The service is unhealthy: " in text or "The service is degraded: " in text
    assert "Nothing else needs attention." in text


async def test_before_the_first_snapshot(empty_service: Serving) -> None:
    seen = await page(empty_service)
    text = " ".join(" ".join(seen.text).split())
    assert "no snapshot yet" in text
    assert "What needs attention is not known: no cycle has ended yet." in text
    assert "No agent is known yet." in text
    assert "No site is known yet." in text
    assert "unhealthy" in text


def working(problem: str | None, count: int) -> tuple[Component, ...]:
    """Make components: one with a problem, the others well."""
    worker = Worker("w", "Running", NOW - 60, 60, 1)
    made = [Component(f"C{number}", 1, 7200, (worker,)) for number in range(count)]
    return (Component("Bad", 1, 7200, (structs.replace(worker, problem=problem),)), *made)


@pytest.mark.parametrize(
    ("components", "stale", "words", "colour"),
    [
        (working(None, 2), False, "ok 3 components", "health-ok"),
        (working(None, 2), True, "not known was well 12 s ago", "health-old"),
        (working("silent", 2), False, "1 of 3 components down Bad", "health-down"),
        (working("silent", 2), True, "1 of 3 components down as of 12 s ago: Bad", "health-down"),
        (working("silent", 0), False, "down its only component does not work", "health-down"),
        ((), False, "not known no component has a worker", "health-unknown"),
    ],
)
async def test_only_an_agent_that_is_known_to_be_well_is_green(
    service: Serving, components: tuple[Component, ...], stale: bool, words: str, colour: str
) -> None:
    snapshot = make_snapshot()
    agent = structs.replace(snapshot.agents["vocms0281"], components=components)
    source = structs.replace(snapshot.sources[1], up=not stale, stale=stale)
    await service.publish(structs.replace(snapshot, agents={agent.name: agent}, sources=(source,)))
    seen = await page(service)
    text = " ".join(" ".join(seen.text).split())
    assert f"Agents {'' if colour == 'health-ok' else '1 of 1 not well '}vocms0281 {words} Running" in text
    colours = {str(span.get("class")) for span in seen.all("span")}
    assert {each for each in colours if "health-" in each} == {f"state {colour}"}
    assert ("The numbers of vocms0281 are old" in " ".join(seen.text)) == stale


@pytest.mark.parametrize("age", [301, -61])
async def test_nothing_is_green_in_a_snapshot_that_says_nothing_about_now(service: Serving, age: int) -> None:
    snapshot = make_snapshot(NOW - age)
    agents = {
        name: structs.replace(agent, components=working(None, 2), polled_at=NOW - age)
        for name, agent in snapshot.agents.items()
    }
    await service.publish(structs.replace(snapshot, agents=agents))
    seen = await page(service)
    colours = {str(span.get("class")) for span in seen.all("span")}
    assert {each for each in colours if "health-" in each} == {"state health-old"}


async def test_an_agent_of_which_an_older_collector_says_nothing(service: Serving) -> None:
    held = service.board.current
    assert held is not None
    (row, *_) = agent_rows(structs.replace(held.facts, health=()), NOW)
    assert (row.health, row.words, row.sites, row.age) == ("unknown", "not known", None, None)


async def test_it_says_why_the_service_is_not_well(service: Serving) -> None:
    slot = service.scoreboard.slot(2)
    slot.note_ending(Ending("signal", "killed by SIGKILL", NOW - 4, 12.0), failures=1)
    slot.vacate(0.0)
    text = " ".join("".join((await page(service)).text).split())
    assert "process collector is not running: killed by SIGKILL" in text
    assert "since 2026-01-01 11:59 UTC · process_down" in text


async def test_many_reasons_are_cut(service: Serving) -> None:
    snapshot = make_snapshot()
    sources = [structs.replace(snapshot.sources[2], name=f"source{number}") for number in range(40)]
    await service.publish(structs.replace(snapshot, sources=tuple(sources)))
    text = " ".join("".join((await page(service)).text).split())
    assert "and 69 more: status" in text


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


async def test_the_bar_is_whole(service: Serving) -> None:
    assert service.board.current is not None
    bar = totals((await service.board.current.sites()).values()).bar
    assert sum(width for _, _, width in bar) == pytest.approx(100, abs=0.01)
    assert [start for _, start, _ in bar] == sorted(start for _, start, _ in bar)


def test_a_static_file_of_an_unknown_kind_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page.wasm").write_text("")
    with pytest.raises(KeyError):
        Assets(tmp_path)
