"""The page of one site: whole without a script, of now or of then, honest about what is not known."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from msgspec import structs

from rcmon.documents.drift import AgentPairs, TaskPairs, ValuePair
from rcmon.errors import StoreError
from rcmon.model import Agent, Snapshot
from rcmon.store import Store
from rcmon.timestamps import iso
from rcmon.web.about import BASE
from rcmon.web.page.beside import beside
from rcmon.web.page.overview import DASH
from tests.web.api.test_then import FIRST, SECOND, keep, keep_three
from tests.web.grid import AGENTS, DIFFERING, NOW, STATELESS, TASKS, make_snapshot
from tests.web.page.test_page import Page
from tests.web.serving import Serving

SITE = "T1_US_FNAL"
HOSTILE = '<script>alert("1")</script>\'&{{7*7}}</title>/../'
MOST = 150_000
"""Bytes of any page with ten agents."""


async def page(service: Serving, path: str, persona: str = "reader", code: int = 200) -> Page:
    answer = await service.ask(path, persona)
    assert answer.code == code, answer.body
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(answer.body.decode())


def text(seen: Page) -> str:
    return re.sub(r"[ \n]+", " ", " ".join(seen.text))


async def test_every_agent_has_its_state_reason_and_jobs(service: Serving) -> None:
    site, (odd, agent) = make_snapshot().sites["T2_US_MIT"], next(iter(DIFFERING.items()))
    assert odd == "T2_US_MIT"
    seen = await page(service, "/sites/T2_US_MIT")
    rows = {row[0].strip(): row for row in reversed(seen.rows) if row and row[0].strip() in AGENTS}
    for name in AGENTS:
        (state, reason, running) = (rows[name][place].strip() for place in (1, 3, 4))
        assert state == ("Draining" if name == agent else "Normal")
        assert running.replace("\N{NARROW NO-BREAK SPACE}", "").split()[0] == str(
            site.agents[name].jobs.running
        )
        assert reason
    assert "site_draining" in rows[agent][3]
    assert {f"{BASE}/agents/{name}" for name in AGENTS} <= {link["href"] for link in seen.all("a")}


async def test_it_has_all_its_parts_without_a_script(service: Serving) -> None:
    seen = await page(service, f"/sites/{SITE}")
    sections = [one["id"] for one in seen.all("section")]
    assert sections == [
        "agents", "findings", "why", "past", "expected", "override", "holders", "journal", "ask",
    ]  # fmt: skip
    links = {link["href"] for link in seen.all("a")}
    assert {f"#{name}" for name in sections} <= links
    said = text(seen)
    for words in ("1 Let in", "2 Submitted", "3 Matched", "Numbers by task type", f"/api/sites/{SITE}/why"):
        assert words in said
    assert f'rcmon_site_state{{site="{SITE}"}} == 1' in said


async def test_what_is_not_known_is_not_0(service: Serving) -> None:
    seen = await page(service, f"/sites/{STATELESS}")
    for name in AGENTS:
        row = next(row for row in seen.rows if row and row[0].strip() == name)
        assert row[1].strip() == "unknown"
        assert row[4].strip().endswith(f"of {DASH}")


async def test_a_name_that_nobody_knows_is_a_404_with_those_like_it(service: Serving) -> None:
    seen = await page(service, "/sites/T1_US_FNALL", code=404)
    assert f"{BASE}/sites/{SITE}" in [link["href"] for link in seen.all("a")]
    assert "There is no site" in text(seen)
    assert "No name is like it" in text(await page(service, "/sites/zzzzzz", code=404))


@pytest.mark.parametrize("path", ["/sites/", "/agents/"])
async def test_names_of_others_are_text(service: Serving, path: str) -> None:
    """What is neither known nor harmless comes back as text, in whatever place."""
    asked = quote(HOSTILE, safe="")
    seen = await page(service, f"{path}{asked}", code=404)
    assert all(one.get("src") for one in seen.all("script"))
    assert HOSTILE in "".join(seen.text)


async def test_names_in_the_snapshot_never_become_markup(service: Serving) -> None:
    await service.publish(hostile())
    for path in (f"/sites/{quote(HOSTILE, safe='')}", f"/agents/{quote(HOSTILE, safe='')}"):
        for query in ("", f"?agent={quote(HOSTILE)}&task={quote(HOSTILE)}" if "sites" in path else ""):
            seen = await page(service, path + query)
            assert all(one.get("src") for one in seen.all("script"))
            assert HOSTILE in "".join(seen.text)
            for _, attributes in seen.elements:
                assert not [name for name in attributes if name.startswith("on") or name == "style"]
            ids = [one["id"] for _, one in seen.elements if one.get("id")]
            assert len(ids) == len(set(ids))


def hostile() -> Snapshot:
    """Name an agent, a site and a task type as nobody should."""
    made = make_snapshot()
    agent = made.agents[AGENTS[0]]
    site = structs.replace(agent.sites[SITE], name=HOSTILE, tasks={HOSTILE: agent.sites[SITE].tasks["Merge"]})
    odd = structs.replace(agent, name=HOSTILE, sites={HOSTILE: site}, hostname=HOSTILE, version=HOSTILE)
    whole = structs.replace(
        made.sites[SITE], name=HOSTILE, state="Normal", states={"Normal": (HOSTILE,)}, agents={HOSTILE: site}
    )
    findings = tuple(
        structs.replace(one, agent=HOSTILE, site=HOSTILE, message=HOSTILE, id=f"h{place}")
        for place, one in enumerate(made.findings)
    )
    return structs.replace(
        made, agents={**made.agents, HOSTILE: odd}, sites={**made.sites, HOSTILE: whole}, findings=findings
    )


async def test_a_reader_is_told_that_overrides_are_not_theirs(service: Serving) -> None:
    seen = await page(service, f"/sites/{SITE}")
    (fields,) = seen.all("fieldset")
    assert "disabled" in fields
    assert "needs the role operator" in text(seen)
    assert not [one for one in seen.all("button") if "data-undo" in one]


async def test_an_operator_has_the_form_and_what_was_seen(service: Serving) -> None:
    seen = await page(service, f"/sites/{SITE}", "operator")
    (fields,) = seen.all("fieldset")
    assert "disabled" not in fields
    assert "needs the role operator" not in text(seen)
    rows = {one["data-override"]: one for one in seen.all("tr") if "data-override" in one}
    assert set(rows) == {"", "vocms0281"}
    for path, agent in (
        (f"/api/sites/{SITE}/override", ""),
        (f"/api/agents/vocms0281/sites/{SITE}/override", "vocms0281"),
    ):
        answer = await service.ask(path)
        assert answer.headers["ETag"] == f'"{rows[agent]["data-etag"]}"'
        assert rows[agent]["data-address"] == BASE + path


async def test_findings_can_be_acknowledged_by_operators_alone(service: Serving) -> None:
    for persona, forms in (("operator", 1), ("reader", 0)):
        seen = await page(service, "/sites/T2_US_MIT", persona)
        shown = [one for one in seen.all("form") if "data-acknowledge" in one]
        assert len(shown) == forms
        assert "the agents hold T2_US_MIT in different states" in text(seen)


async def test_it_is_as_of_then(service: Serving) -> None:
    kept = await keep_three(service)
    seen = await page(service, f"/sites/{SITE}?at={SECOND + 60:.0f}&range=1w")
    said = text(seen)
    assert "As of 2025-12-27 12:01:00 UTC" in said
    for words in (
        "History does not keep them",
        "History does not keep it",
        "What was expected then is not kept",
    ):
        assert words in said
    for name in AGENTS:
        row = next(row for row in seen.rows if row and row[0].strip() == name)
        running = row[4].strip().replace("\N{NARROW NO-BREAK SPACE}", "").split()[0]
        assert running == str(kept[SECOND].sites[SITE].agents[name].jobs.running)
    assert not [one for one in seen.all("main") if "data-refresh" in one], "what is past does not change"


async def test_a_time_without_a_zone_is_utc_and_what_is_empty_is_not_asked(service: Serving) -> None:
    await keep_three(service)
    seen = await page(service, f"/sites/{SITE}?at=2025-12-27T12:01&agent=&task=&range=")
    assert "As of 2025-12-27 12:01:00 UTC" in text(seen)
    assert (
        'value="2025-12-27T12:01"' in (await service.ask(f"/sites/{SITE}?at=2025-12-27T12:01")).body.decode()
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [("at=yesterday", 400), ("range=2d", 400), (f"at={FIRST - 1:.0f}", 410), ("what=1", 400)],
)
async def test_what_cannot_be_shown_is_said(service: Serving, query: str, code: int) -> None:
    await keep_three(service)
    answer = await service.ask(f"/sites/{SITE}?{query}", Accept="text/html")
    assert answer.code == code
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_a_site_of_then_that_is_gone_now_is_shown_as_of_then_alone(service: Serving) -> None:
    made = [structs.replace(make_snapshot(), started=time) for time in (FIRST, SECOND, NOW - 30)]
    made[2] = without(made[2], SITE)
    await keep(service, *made)
    assert "There is no site" in text(await page(service, f"/sites/{SITE}", code=404))
    assert f"As of {iso(SECOND)[:10]}" in text(await page(service, f"/sites/{SITE}?at={SECOND:.0f}"))  # type: ignore[index]


def without(snapshot: Snapshot, site: str) -> Snapshot:
    agents: dict[str, Agent] = {
        name: structs.replace(agent, sites={each: one for each, one in agent.sites.items() if each != site})
        for name, agent in snapshot.agents.items()
    }
    sites = {name: one for name, one in snapshot.sites.items() if name != site}
    return structs.replace(snapshot, agents=agents, sites=sites)


async def test_its_past_is_drawn_and_in_a_table(service: Serving) -> None:
    await keep_three(service)
    seen = await page(service, f"/sites/{SITE}?range=1w")
    assert len([one for one in seen.all("path") if one.get("d")]) == 4
    (box,) = [one for one in seen.all("div") if one.get("id") == "charts"]
    assert (box["data-site"], box["data-step"]) == (SITE, "1800")
    assert box["data-to"] == iso(NOW - 30)
    rows = [row for row in seen.rows if row and re.match(r"20\d\d-", row[0].strip()) and len(row) == 5]
    assert len(rows) > 20
    assert "0" not in {row[1].strip() for row in rows}
    strips = [one for one in seen.all("rect") if (one.get("class") or "").startswith("strip-")]
    assert len(strips) >= len(AGENTS)


async def test_the_page_is_there_where_history_cannot_be_read(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Store, question: object = None) -> Any:
        raise StoreError("it is locked")

    monkeypatch.setattr(Store, "asking", broken)
    monkeypatch.setattr(Store, "ask", broken)
    said = text(await page(service, f"/sites/{SITE}"))
    assert "The history cannot be read just now: it is locked." in said
    assert "The journal cannot be read just now" in said
    assert "State and reason in each agent" in said


async def test_before_the_first_cycle_there_is_nothing_to_show(empty_service: Serving) -> None:
    answer = await empty_service.ask(f"/sites/{SITE}", Accept="text/html")
    assert answer.code == 503
    assert b"no cycle has ended" in answer.body


async def test_with_ten_agents_it_is_small(service: Serving) -> None:
    await service.publish(many())
    for path in (f"/sites/{SITE}", "/agents/agent03"):
        answer = await service.ask(path, "operator")
        assert answer.code == 200
        assert 10_000 < len(answer.body) < MOST


def many() -> Snapshot:
    """Give the grid ten agents with nine task types each."""
    made = make_snapshot()
    names = [f"agent{place:02d}" for place in range(10)]
    tasks = [*TASKS, "Harvesting", "Skim", "Express", "Repack"]
    agents: dict[str, Agent] = {}
    for name in names:
        agent = made.agents[AGENTS[0]]
        sites = {
            site: structs.replace(one, state="Draining", tasks=dict.fromkeys(tasks, one.tasks["Merge"]))
            for site, one in agent.sites.items()
        }
        agents[name] = structs.replace(agent, name=name, sites=sites)
    sites = {
        name: structs.replace(
            site,
            state="Draining",
            states={"Draining": tuple(names)},
            agents={one: agents[one].sites[name] for one in names},
        )
        for name, site in made.sites.items()
    }
    return structs.replace(made, agents=agents, sites=sites)


def test_what_differs_is_marked_and_what_is_not_expected_is_not() -> None:
    pairs = AgentPairs(
        state=ValuePair("Normal", "Down"),
        running_slots=ValuePair(None, 5),
        pending_slots=ValuePair(7, 7),
        tasks={"Merge": TaskPairs(ValuePair(10, 20), ValuePair(None, 3))},
        team="t",
        agents_in_team=1,
        missing="something",
    )
    tasks, (row,) = beside({"a": pairs})
    assert tasks == ["Merge"]
    assert [(one.actual, one.expected, one.differs) for one in row.values] == [
        ("Down", "Normal", True),
        ("5", None, False),
        ("7", "7", False),
        ("20 · 3", "10 · unknown", True),
    ]
