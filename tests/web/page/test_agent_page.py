"""The page of one agent: each worker against its own interval, and all else that an operator asks of it."""

import re

import pytest
from msgspec import structs

from rcmon.documents.drift import DriftShape
from rcmon.documents.shapes import AgentReportShape, WorkerShape
from rcmon.model import Component, Snapshot, SubmitterSettings, Worker
from rcmon.web.page.agent import drift_groups
from rcmon.web.page.overview import number
from rcmon.web.page.workers import WorkerRow, worker_rows
from tests.web.api.test_then import SECOND, keep_three
from tests.web.grid import NOW, make_snapshot
from tests.web.page.test_site_page import page, text
from tests.web.serving import Serving

AGENT = "vocms0281"
POLLED = "2026-01-01T12:00:00Z"


def worker(seconds: float | None, interval: float | None = 300, problem: str | None = None) -> WorkerRow:
    beat = (
        None
        if seconds is None
        else f"2026-01-01T{11 - int(seconds // 3600):02d}:{59 - int(seconds % 3600 // 60):02d}:00Z"
    )
    shape = WorkerShape("C", "W", "Running", problem, beat, 7200, interval, 30, 1, None, None, None)
    (row,) = worker_rows([shape], POLLED)
    return row


def test_a_worker_is_held_against_its_own_interval() -> None:
    assert worker(60).kind == "good"
    late = worker(1500)
    assert (late.kind, late.words) == ("warn", "late: it should beat every 5 min")
    assert worker(1500, interval=3600).kind == "good"
    assert worker(1500, interval=None).kind == "good"
    assert (worker(60, problem="in error").kind, worker(60, problem="in error").words) == ("bad", "in error")


def test_a_heartbeat_that_is_ahead_of_our_clock_is_not_one_of_just_now() -> None:
    shape = WorkerShape("C", "W", "Running", None, "2026-01-01T12:01:56Z", 7200, 300, 30, 1, None, None, None)
    (row,) = worker_rows([shape], "2026-01-01T12:00:00Z")
    assert (row.age, row.used) == (-116, 0)


def test_a_heartbeat_that_is_not_known_is_neither_new_nor_old() -> None:
    row = worker(None)
    assert (row.kind, row.age, row.used) == ("dim", None, None)


def test_what_is_not_well_stands_first() -> None:
    shapes = [
        WorkerShape(name, "W", "Running", problem, POLLED, 7200, 300, 30, 1, None, None, None)
        for name, problem in (("A", None), ("B", "dead"), ("C", None))
    ]
    assert [row.component for row in worker_rows(shapes, POLLED)] == ["B", "A", "C"]


def with_components(**changes: object) -> Snapshot:
    made = make_snapshot()
    workers = (
        Worker("JobSubmitterPoller", "Running", NOW - 40, 300, 12.0),
        Worker("Late", "Running", NOW - 3000, 300, 12.0),
    )
    dead = Worker(
        "RetryManagerPoller", "Error", NOW - 40, 300, 1, problem="state Error", error_message="it broke"
    )
    components = (Component("JobSubmitter", 1, 7200, workers), Component("RetryManager", 1, 7200, (dead,)))
    agent = structs.replace(
        made.agents[AGENT],
        components=components,
        jobs_by_state={"created": 5, "executing": 7, "new": 0},
        **changes,
    )
    return structs.replace(made, agents={**made.agents, AGENT: agent})


async def test_it_has_all_its_parts(service: Serving) -> None:
    await service.publish(with_components(drain=True))
    seen = await page(service, f"/agents/{AGENT}")
    assert [one["id"] for one in seen.all("section")] == [
        "workers", "facts", "findings", "queue", "drift", "control", "forecast", "journal", "ask",
    ]  # fmt: skip
    said = text(seen)
    for words in (
        "1 component down",
        "in drain",
        "observe",
        "state Error",
        "it broke",
        "late: it should beat every",
    ):
        assert words in said
    assert "12 jobs are new, created or executing" in said
    assert "created 5" in said
    assert "It is only observed" in said


async def test_a_heartbeat_ahead_of_our_clock_is_said_to_be(service: Serving) -> None:
    made = with_components()
    ahead = Component("Ahead", 1, 7200, (Worker("W", "Running", NOW + 3600, 300, 12.0),))
    agent = structs.replace(made.agents[AGENT], components=(ahead,))
    await service.publish(structs.replace(made, agents={**made.agents, AGENT: agent}))
    assert re.search(r"\d (h|min|s) ahead", text(await page(service, f"/agents/{AGENT}")))


async def test_it_says_how_many_jobs_it_may_have_where_that_is_known(service: Serving) -> None:
    await service.publish(with_components())
    assert "It submits nothing while" not in text(await page(service, f"/agents/{AGENT}"))
    await service.publish(with_components(submitter=SubmitterSettings(10_000)))
    said = text(await page(service, f"/agents/{AGENT}"))
    assert f"It submits nothing while {number(7500)} or more are executing." in said


async def test_what_is_not_known_is_said(service: Serving) -> None:
    said = text(await page(service, f"/agents/{AGENT}"))
    for words in (
        "not known how it does",
        "the agent reports nothing",
        "drain not known",
        "They could not be read.",
    ):
        assert words in said
    assert "It could not be read" in said


async def test_an_agent_that_nobody_knows_is_a_404_with_those_like_it(service: Serving) -> None:
    seen = await page(service, "/agents/vocms0291", code=404)
    assert f"/wm_resource_monitor/agents/{AGENT}" in [link["href"] for link in seen.all("a")]


async def test_it_is_as_of_then(service: Serving) -> None:
    kept = await keep_three(service)
    said = text(await page(service, f"/agents/{AGENT}?at={SECOND + 60:.0f}"))
    assert "As of 2025-12-27 12:01:00 UTC" in said
    for words in ("History does not keep them", "History does not keep what was expected", "no worker"):
        assert words in said
    running = sum(site.jobs.running for site in kept[SECOND].agents[AGENT].sites.values())
    assert f"Running jobs {running}" in said.replace("\N{NARROW NO-BREAK SPACE}", "")


def test_what_the_updater_left_so_stands_behind_what_is_not() -> None:
    def one(reason: str, site: str) -> DriftShape:
        return DriftShape(AGENT, site, None, "state", "Normal", "Down", reason, "why")

    many = [one("floor", f"s{place}") for place in range(20)]
    groups = drift_groups([*many, one("unexplained", "x")])
    assert [(group.reason, group.values, group.sites, group.rest) for group in groups] == [
        ("unexplained", 1, 1, 0),
        ("floor", 20, 20, 12),
    ]
    site, told = groups[0].rows[0]
    assert (site, told.what) == ("x", "state Down, expected Normal")


@pytest.mark.parametrize(
    ("warnings", "stale", "words"),
    [
        (("disk /data1 is 97% full",), False, "disk /data1 is 97% full"),
        ((), False, "no warning"),
        ((), True, "its report is stale"),
    ],
)
async def test_its_disks_are_as_it_reports(
    service: Serving, monkeypatch: pytest.MonkeyPatch, warnings: tuple[str, ...], stale: bool, words: str
) -> None:
    report = AgentReportShape("t", None, 30.0, stale, "team", "v", "ok", False, (), warnings)
    monkeypatch.setattr("rcmon.render.agents._report", lambda *_: report)
    await service.publish(make_snapshot())
    assert words in text(await page(service, f"/agents/{AGENT}"))
