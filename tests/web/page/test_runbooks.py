"""Each alert and each kind of finding has its page, and whoever reads of one gets there."""

import re

import msgspec
import pytest

from rcmon.collector.findings import KINDS
from rcmon.documents.links import BASE, runbook
from rcmon.monitoring.described import alerts, finding_guides
from rcmon.monitoring.runbooks import runbooks
from rcmon.web.page.marked import marked
from tests.web.page.test_page import Page
from tests.web.serving import Serving

PAGES = runbooks()


async def seen(service: Serving, path: str) -> Page:
    answer = await service.ask(path)
    assert answer.code == 200, (path, answer.body)
    return Page(answer.body.decode())


def test_none_is_missing_and_none_is_for_nothing() -> None:
    assert set(PAGES) == {alert.name for alert in alerts()} | set(KINDS)
    assert len(PAGES) == len(alerts()) + len(KINDS)


def test_a_finding_means_there_what_it_means_everywhere() -> None:
    meant = {kind: meaning.sentence for kind, meaning in KINDS.items()}
    assert {kind: guide.meaning for kind, guide in finding_guides().items()} == meant


@pytest.mark.parametrize(
    "name", ["AgentDown", "UpstreamQuarantined", "upstream_quarantined", "ssb_none_enabled"]
)
async def test_a_page_says_what_it_means_where_to_look_and_what_to_do(service: Serving, name: str) -> None:
    page = await seen(service, f"/runbooks/{name}")
    text = re.sub(r"\s+", " ", " ".join(page.text))
    assert name in text
    for line in (PAGES[name].meaning, *PAGES[name].look, *PAGES[name].do):
        for piece in marked(line):
            assert piece.text.strip() in text


async def test_the_list_leads_to_every_page_and_back(service: Serving) -> None:
    links = {link["href"] for link in (await seen(service, "/runbooks")).all("a")}
    assert {runbook(name) for name in PAGES} <= links
    for name in PAGES:
        assert f"{BASE}/runbooks" in {
            link["href"] for link in (await seen(service, f"/runbooks/{name}")).all("a")
        }


async def test_what_a_page_asks_for_can_be_asked(service: Serving) -> None:
    """Every link in every text is answered."""
    texts = (text for page in PAGES.values() for text in (page.meaning, *page.look, *page.do))
    links = {piece.link.removeprefix(BASE) for text in texts for piece in marked(text) if piece.link}
    assert len(links) > 10
    for link in sorted(links):
        assert (await service.ask(link)).code == 200, link


async def test_every_resource_that_a_text_names_is_one(service: Serving) -> None:
    """Those with a part to be filled in as well: they are asked with something there."""
    texts = [text for page in PAGES.values() for text in (page.meaning, *page.look, *page.do)]
    for path in {piece.text for text in texts for piece in marked(text) if piece.text.startswith("/api/")}:
        filled = path.replace("SITE", "T1_US_FNAL").replace("AGENT", "vocms0281").partition("?at=")[0]
        if re.search(r"/ID/|/override$", filled):
            continue  # those change something, or are there once something was set
        assert (await service.ask(filled)).code in {200, 404}, path
        assert "no resource" not in (await service.ask(filled)).body.decode(), path


async def test_a_finding_links_to_its_page(service: Serving) -> None:
    answer = await service.ask("/api/findings")
    found = msgspec.json.decode(answer.body)["findings"]
    assert found
    for one in found:
        assert one["runbook"] == runbook(one["kind"])
        if one["kind"] in KINDS:  # the tests' grid has made-up ones too
            await seen(service, one["runbook"].removeprefix(BASE))


async def test_what_is_no_runbook_is_not_found(service: Serving) -> None:
    assert (await service.ask("/runbooks/None")).code == 404
    assert (await service.ask("/runbooks/..%2Falerts.toml")).code == 404
