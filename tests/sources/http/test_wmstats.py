"""WMStats: documents of agents of every age, read as they are."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from rcmon.model import Upstream
from rcmon.sources.base import Poll, poll_one
from tests.sources.http.kinds import make_wmstats
from tests.sources.http.webservice import answer, serving

NOW = 1_767_268_800.0
SAMPLE = json.loads((Path(__file__).parents[2] / "data" / "upstream" / "agent_info.json").read_bytes())


async def poll(*values: Any, rows: Any = None) -> Poll:
    view = {"rows": [{"id": "x", "key": "x", "value": value} for value in values] if rows is None else rows}

    async def say(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(json.dumps(view).encode()))
        await writer.drain()
        writer.close()

    async with serving(say) as web:
        polled = await poll_one(make_wmstats(web.url), NOW)
        assert b"GET /_design/WMStats/_view/agentInfo HTTP/1.1" in web.heads[0]
    return polled


async def said(*values: Any, **more: Any) -> Upstream:
    polled = await poll(*values, **more)
    assert polled.batch is not None, polled.error
    assert polled.batch.upstream is not None
    return polled.batch.upstream


async def test_a_recorded_document() -> None:
    found = await said(SAMPLE)
    (report,) = (found.reports or {}).values()
    assert list(found.reports or {}) == ["vocms0999"]
    assert (report.team, report.version, report.status, report.drain) == (
        "production",
        "2.4.5",
        "down",
        False,
    )
    assert report.down_components == ("JobAccountant", "JobSubmitter")
    assert (report.host, report.time, report.received) == ("vocms0999.cern.ch", NOW, None)
    assert report.queued_by_priority == {85000: 1000}
    assert "NoPossibleSite" not in (report.queued or {})
    assert found.findings == ()


async def test_older_and_newer_forms() -> None:
    old = {"agent_url": "a.cern.ch:9999", "timestamp": NOW, "down_components": ["A"], "disk_warning": []}
    new = {
        "agent_url": "b.cern.ch",
        "timestamp": NOW - 5000,
        "drain_mode": True,
        "down_component_detail": ["CouchServer", {"name": "ErrorHandler", "state": "Error", "more": {}}],
        "components": {
            "ErrorHandler": [{"process": "wmcoreD", "pid": "7", "status": "Z (zombie)", "type": "process"}],
            "JobCreator": [{"error": "Process 12 not found"}],
            "Good": [{"process": "p", "pid": "1", "status": "running", "type": "thread"}],
        },
        "disk_warning": [{"mounted": "/data", "percent": "92%"}],
        "proxy_warning": "Agent proxy 'x' must be renewed ASAP. Its time left is: 9.00 hours;",
        "data_error": "ok",
    }
    found = (await said(old, new)).reports or {}
    assert found["a"].down_components == ("A",)
    assert (found["a"].drain, found["a"].warnings, found["a"].is_stale(NOW)) == (None, (), False)
    assert found["b"].down_components == ("CouchServer", "ErrorHandler")
    assert found["b"].is_stale(NOW)
    assert found["b"].warnings == (
        "component ErrorHandler: Error",
        "component ErrorHandler: process wmcoreD is Z (zombie)",
        "component JobCreator: Process 12 not found",
        "disk /data is 92% full",
        "Agent proxy 'x' must be renewed ASAP. Its time left is: 9.00 hours",
    )


async def test_a_part_that_cannot_be_read_costs_the_part() -> None:
    found = (await said({**SAMPLE, "drain_mode": "perhaps", "LocalWQ_INFO": [1]})).reports or {}
    report = found["vocms0999"]
    assert (report.drain, report.queued, report.team) == (None, None, "production")
    assert [text.partition(" cannot")[0] for text in report.warnings[-2:]] == [
        "what it says of drain_mode",
        "what it says of LocalWQ_INFO",
    ]


@pytest.mark.parametrize(
    "bad", [None, 7, [], {}, {"agent_url": "a"}, {"agent_url": "a", "timestamp": NOW * 1000}, "text"]
)
async def test_a_document_that_is_none_costs_itself(bad: Any) -> None:
    found = await said(bad, SAMPLE)
    assert list(found.reports or {}) == ["vocms0999"]
    (finding,) = found.findings
    assert (finding.kind, finding.count) == ("wmstats_document_unreadable", 1)
    assert "no agent's document that can be read" in str((await poll(bad)).error)


async def test_of_two_of_one_host_the_newer_counts() -> None:
    older = {**SAMPLE, "timestamp": NOW - 60, "agent_team": "older"}
    for values in ((older, SAMPLE), (SAMPLE, older)):
        assert ((await said(*values)).reports or {})["vocms0999"].team == "production"
