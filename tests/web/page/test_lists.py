"""Pages of lists: filtered by their address, paged by the API's cursor, honest about what is not there."""

import html
import re
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import text

from rcmon.errors import StoreError
from rcmon.model import Finding
from rcmon.web.page.honest import WORDS
from tests.browser.trouble import make_trouble
from tests.web.grid import make_snapshot
from tests.web.serving import Serving

PAGES = ("/findings", "/journal", "/quarantine", "/overrides", "/api", "/about")
HTML = {"Accept": "text/html"}


async def read(service: Serving, path: str, who: str = "reader", code: int = 200) -> str:
    answer = await service.ask(path, who, **HTML)
    assert answer.code == code, answer.body
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    return str(answer.body.decode())


def words(page: str) -> str:
    """Give what a person reads of a page's main part."""
    main = re.search("<main.*</main>", page, re.DOTALL)
    assert main is not None
    return re.sub("[ \n]+", " ", html.unescape(re.sub("<[^>]*>", " ", main[0])))


async def trouble(service: Serving) -> Serving:
    assert service.store
    async with service.store.adding() as connection:
        for table in ("override", "override_change"):
            await connection.execute(text(f"DELETE FROM {table}"))
    await make_trouble(service.store)
    return service


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_stands_in_the_frame_and_needs_the_role_reader(service: Serving, path: str) -> None:
    page = await read(service, path)
    (current,) = re.findall(r'<a href="([^"]*)" aria-current="page"', page)
    assert current.endswith(path)
    refused = await read(service, path, "stranger", 403)
    assert "role missing" in refused
    assert "/DC=ch/CN=stranger" in refused


async def test_findings_are_filtered_by_the_address(service: Serving) -> None:
    every = words(await read(service, "/findings"))
    assert "2 of 2 findings" in every
    assert "T2_US_MIT" in every
    for query, found, lacking in (
        ("severity=warning", "T2_US_MIT", "T3_US_UMiss has"),
        ("site=umiss", "T3_US_UMiss has", "T2_US_MIT in"),
        ("site=T3_*", "T3_US_UMiss has", "T2_US_MIT in"),
        ("agent=vocms0281&severity=", "T3_US_UMiss has", "T2_US_MIT in"),
        ("kind=state_*", "T2_US_MIT", "T3_US_UMiss has"),
        ("acknowledged=no&since=", "T2_US_MIT", "nothing"),
    ):
        page = words(await read(service, f"/findings?{query}"))
        assert found in page, query
        assert lacking not in page, query


async def test_findings_are_told_the_worst_first_whatever_their_order_is(service: Serving) -> None:
    snapshot = make_snapshot()
    kinds = {"info": "draining_long", "critical": "worker_unhealthy", "warning": "state_differs"}
    made = [
        structs.replace(snapshot.findings[0], severity=severity, id=severity, kind=kinds[severity])
        for severity in kinds
    ]
    await service.publish(structs.replace(snapshot, findings=tuple(made)))
    page = await read(service, "/findings")
    assert re.findall('<li id="finding-([a-z]+)"', page) == ["critical", "warning", "info"]
    more = re.search('rel="next" href="[^"]*(/findings[^"]*)"', await read(service, "/findings?limit=2"))
    assert more is not None
    rest = await read(service, html.unescape(more[1]))
    assert re.findall('<li id="finding-([a-z]+)"', rest) == ["info"]


async def test_a_page_does_not_take_what_it_would_ignore(service: Serving) -> None:
    for path in ("/findings", "/journal", "/overrides", "/quarantine", "/about"):
        assert "'pretty'" in words(await read(service, f"{path}?pretty=1", code=400))


async def test_a_filter_that_finds_nothing_is_no_empty_list(service: Serving) -> None:
    unmatched = words(await read(service, "/findings?severity=critical"))
    assert f"{WORDS['unmatched'][0]} None of the 2 findings is let through by this filter." in unmatched
    await service.publish(structs.replace(make_snapshot(), findings=()))
    assert f"{WORDS['empty'][0]} There are no findings." in words(await read(service, "/findings"))


async def test_findings_are_paged_by_the_cursor_of_the_api(service: Serving) -> None:
    first = await read(service, "/findings?limit=1")
    (more,) = re.findall(r'rel="next" href="/wm_resource_monitor([^"]*)"', first)
    second = await read(service, html.unescape(more))
    assert "1 of 2 findings" in words(first)
    assert 'rel="next"' not in second
    assert set(re.findall('id="finding-([^"]*)"', first + second)) == {"a1", "b2"}
    lost = words(await read(service, "/findings?cursor=gone", code=400))
    assert "not understood" in lost
    assert "2 of 2 findings" in lost


@pytest.mark.parametrize("path", ["/findings", "/journal", "/overrides", "/quarantine", "/about"])
async def test_what_is_not_understood_is_said_on_the_page_itself(service: Serving, path: str) -> None:
    page = words(await read(service, f"{path}?colour=red", code=400))
    assert "Unknown parameter 'colour'" in page


async def test_before_the_first_cycle_nobody_was_asked(empty_service: Serving) -> None:
    for path in ("/findings", "/journal"):
        page = words(await read(empty_service, path))
        assert WORDS["never"][0] in page, path
        assert "There are no" not in page
    assert "No source has been polled yet." in words(await read(empty_service, "/about"))


async def test_what_cannot_be_read_is_not_empty(service: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise StoreError("the disk is gone")

    for way in ("reading", "asking"):
        monkeypatch.setattr(service.reads, way, broken)
    for path in ("/journal", "/quarantine", "/overrides"):
        page = words(await read(service, path))
        assert WORDS["offline"][0] in page, path
        assert "the disk is gone" in page
        assert "There are no" not in page
        assert "Nothing is held" not in page


async def test_the_journal_says_from_what_to_what_and_by_whom(service: Serving) -> None:
    await trouble(service)
    page = await read(service, "/journal?kind=override")
    assert "An Operator" in words(page)
    assert "state Draining" in words(page)
    assert "<b>markup" not in page
    some = words(await read(service, "/journal?kind=state&site=T1_US_FNAL"))
    assert "1 of 1 entries" in some
    times = await read(service, "/journal?since=2026-01-01T11:00&until=2026-01-01T11:50")
    assert "2 of 2 entries" in words(times)
    assert 'name="since" value="2026-01-01T11:00"' in times
    older = await read(service, "/journal?limit=3")
    (more,) = re.findall(r'rel="next" href="/wm_resource_monitor([^"]*)"', older)
    following = await read(service, html.unescape(more))
    seen = re.findall('id="entry-([0-9]+)"', older + following)
    assert len(seen) == len(set(seen)) == 6


async def test_overrides_tell_what_they_set_and_until_when(service: Serving) -> None:
    await trouble(service)
    page = words(await read(service, "/overrides"))
    assert "3 of 3 overrides" in page
    assert "1\u202f200 running slots, 400 pending slots until somebody ends it HLT needs the rest" in page
    part = words(await read(service, "/overrides?site=desy"))
    assert "1 of 1 overrides" in part
    first = await read(service, "/overrides?limit=2")
    (more,) = re.findall(r'rel="next" href="/wm_resource_monitor([^"]*)"', first)
    assert "1 of 3 overrides" in words(await read(service, html.unescape(more)))


async def test_the_quarantine_tells_what_would_change(service: Serving) -> None:
    nothing = words(await read(service, "/quarantine"))
    assert f"{WORDS['empty'][0]} Nothing is held" in nothing
    page = words(await read(await trouble(service), "/quarantine"))
    assert "31 of 62 sites would be drained at once held" in page
    assert "T2_UA_KIPT not named any more enabled disabled 1\u202f200 0 300 0" in page


async def test_a_finding_that_something_is_held_leads_to_where_it_is_decided(service: Serving) -> None:
    held = Finding("upstream_quarantined", None, "31 sites would be drained at once", 1, id="q1")
    await service.publish(structs.replace(make_snapshot(), findings=(held,)))
    found = re.findall(r'<a href="([^"]*)">31 sites would be drained at once</a>', await read(service, "/"))
    assert found == ["/wm_resource_monitor/quarantine"]


async def test_only_operators_are_offered_changes(service: Serving) -> None:
    await trouble(service)
    offers = {
        "/findings": "data-acknowledge",
        "/quarantine": "data-decide",
        "/overrides": "data-end",
        "/journal?kind=override": "data-undo",
    }
    for path, mark in offers.items():
        assert mark in await read(service, path, "operator"), path
        assert mark not in await read(service, path), path


async def test_the_api_is_a_page_to_browsers_and_json_to_all_others(service: Serving) -> None:
    page = await read(service, "/api")
    told = (await service.ask("/api/openapi.json")).body.decode()
    for identifier in set(re.findall(r'"operationId":"((?:get|put|post|delete)\w+)"', told)):
        assert f'id="{identifier}"' in page
    for shape in re.findall(r'href="#shape-(\w+)"', page):
        assert f'id="shape-{shape}"' in page
    for accept in ("*/*", "application/json"):
        answer = await service.ask("/api", Accept=accept)
        assert answer.headers["Content-Type"] == "application/json"
        assert "Accept" in answer.headers["Vary"]


async def test_about_says_who_one_is(service: Serving) -> None:
    page = words(await read(service, "/about", "operator"))
    assert "Subject /DC=ch/CN=operator" in page
    assert "Roles operator reader" in page
    for word, meaning in WORDS.values():
        assert f"{word} {meaning}" in page
