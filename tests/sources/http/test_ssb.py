"""The site status board: what it says of each site, and what is odd about it."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rcmon.errors import ConfigError
from rcmon.model import Manual, SiteStatus, Upstream
from rcmon.sources.base import Poll
from rcmon.sources.config import load_sources
from rcmon.sources.ssb import SSBConfig, SSBSource
from tests.sources.http.asked import NOW, asked, said_by
from tests.sources.http.kinds import hit, make_ssb, searched
from tests.sources.http.webservice import answer, serving

SITE = "T1_US_FNAL"
THEN = NOW - 3600
ENABLED = hit(SITE, THEN, prod_status="enabled", detail="")
CORES = hit(SITE, THEN, core_cpu_intensive=7000, core_io_intensive=700)


async def poll(statuses: Any, capacities: Any, **more: Any) -> Poll:
    answers = {b"sts15min": searched(statuses, **more), b"scap15min": searched(capacities, **more)}
    return await asked(make_ssb, answers)


async def said(statuses: Any, capacities: Any) -> Upstream:
    return said_by(await poll(statuses, capacities))


async def kinds(statuses: Any, capacities: Any) -> list[tuple[str, str | None, int]]:
    found = (await said(statuses, capacities)).findings
    assert all(each.agent is None for each in found)
    return [(each.kind, each.site, each.count) for each in found]


async def test_what_it_says_of_a_site() -> None:
    detail = "Life: 5th Site Readiness error,\nProd: LifeStatus change to Waiting Room,\nCRAB: ok"
    status = hit(SITE, THEN, prod_status="drain", detail=detail)
    found = await said([status], [hit(SITE, THEN - 5, core_cpu_intensive=7000, core_io_intensive=700)])
    assert found.findings == ()
    assert found.sites == {
        SITE: SiteStatus("drain", "LifeStatus change to Waiting Room", THEN, None, 7000, 700, THEN - 5)
    }


async def test_it_is_asked_as_the_agents_ask() -> None:
    bodies: list[bytes] = []

    async def say(_head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        bodies.append(body)
        writer.write(answer(json.dumps(searched([ENABLED if b"sts15min" in body else CORES])).encode()))
        await writer.drain()
        writer.close()

    async with serving(say) as web:
        await make_ssb(web.url).poll(NOW)
    assert [head.split(b"\r\n")[0] for head in web.heads] == [
        b"POST /api/datasources/proxy/9475/_msearch HTTP/1.1"
    ] * 2
    for body, metric in zip(bodies, ("sts15min", "scap15min"), strict=True):
        first, second, last = body.split(b"\n")
        assert last == b""
        assert json.loads(first)["index"] == ["monit_prod_cmssst_*"]
        query = json.loads(second)["query"]["bool"]["filter"][1]["query_string"]["query"]
        assert query.endswith(f"AND metadata.monit_hdfs_path: {metric}")
    assert b"Content-Type: application/json\r\n" in web.heads[0]


async def test_the_newest_row_of_a_site_counts() -> None:
    rows = [
        hit(SITE, THEN - 10, prod_status="drain"),
        hit(SITE, THEN, prod_status="disabled"),
        hit(SITE, THEN - 20, prod_status="enabled"),
    ]
    found = await said(rows, [CORES, hit(SITE, THEN - 9, core_cpu_intensive=1, core_io_intensive=1)])
    assert found.sites is not None
    assert (found.sites[SITE].status, found.sites[SITE].cpu) == ("disabled", 7000)


@pytest.mark.parametrize("when", ["2026-11-18T10:26:40Z", "2026-Nov-18 10:26:40", "2026-11-18 10:26:40", 0])
async def test_a_persons_word_is_told_with_who_when_and_why(when: Any) -> None:
    time = datetime(2026, 11, 18, 10, 26, 40, tzinfo=UTC).timestamp()
    word = {"name": SITE, "status": "enabled", "mode": "latched", "when": when, "who": "lammel", "why": "ok"}
    if not isinstance(when, str):
        word["when"] = time
    found = await said([hit(SITE, THEN, prod_status="enabled", manual_prod=word)], [CORES])
    assert found.findings == ()
    assert (found.sites or {})[SITE].manual == Manual("enabled", "latched", time, "lammel", "ok")


@pytest.mark.parametrize(
    ("word", "manual"),
    [
        (None, None),
        ("", None),
        ({}, None),
        ("enabled", Manual("enabled", None, None, None, None)),
        ({"status": "drain"}, Manual("drain", None, None, None, None)),
    ],
)
async def test_a_word_may_be_short_or_missing(word: Any, manual: Manual | None) -> None:
    found = await said([hit(SITE, THEN, prod_status="enabled", manual_prod=word)], [CORES])
    assert ((found.sites or {})[SITE].manual, found.findings) == (manual, ())


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ({"status": 7}, "ssb_text_unreadable"),
        ({"status": "enabled", "why": ["x"]}, "ssb_text_unreadable"),
        ({"status": "enabled", "when": "yesterday"}, "ssb_time_implausible"),
        ({"status": "enabled", "when": "9999-01-01"}, "ssb_time_implausible"),
        ({"status": "enabled", "when": -1}, "ssb_time_implausible"),
        ([1], "ssb_text_unreadable"),
        (7, "ssb_text_unreadable"),
    ],
)
async def test_a_word_that_cannot_be_read_costs_itself(word: Any, kind: str) -> None:
    row = hit(SITE, THEN, prod_status="enabled", manual_prod=word)
    assert await kinds([row], [CORES]) == [(kind, SITE, 1)]


@pytest.mark.parametrize("value", [-1, 2**70, 1.5, True, "many", [1], {"a": 1}, 10_000_001])
async def test_cores_that_cannot_be_are_unknown(value: Any) -> None:
    found = await said([ENABLED], [hit(SITE, THEN, core_cpu_intensive=value, core_io_intensive=700)])
    (finding,) = found.findings
    assert (finding.kind, finding.site) == ("ssb_cores_implausible", SITE)
    assert "core_cpu_intensive is " in finding.message
    assert ((found.sites or {})[SITE].cpu, (found.sites or {})[SITE].io) == (None, 700)


@pytest.mark.parametrize(
    ("status", "cores", "found"),
    [
        ({"prod_status": None}, None, [("ssb_status_unknown", SITE, 1)]),
        ({"prod_status": "morgue"}, None, [("ssb_status_unknown", SITE, 1)]),
        ({"prod_status": 7}, None, [("ssb_status_unknown", SITE, 1), ("ssb_text_unreadable", SITE, 1)]),
        (None, {"core_cpu_intensive": None, "core_io_intensive": 1}, [("ssb_cpu_missing", SITE, 1)]),
        (None, {"core_io_intensive": 1}, [("ssb_cpu_missing", SITE, 1)]),
        (None, {"core_cpu_intensive": 1, "core_io_intensive": None}, [("ssb_io_missing", SITE, 1)]),
        (None, {"core_cpu_intensive": 0, "core_io_intensive": 1}, [("ssb_cpu_zero", SITE, 1)]),
        ({"prod_status": "drain"}, {"core_cpu_intensive": 0, "core_io_intensive": 1}, []),
    ],
)
async def test_what_would_mislead_the_agents_is_a_finding(status: Any, cores: Any, found: Any) -> None:
    other = "T2_CH_CERN"
    statuses = [
        hit(SITE, THEN, **({"prod_status": "enabled"} if status is None else status)),
        hit(other, THEN, prod_status="enabled"),
    ]
    cores = {"core_cpu_intensive": 5, "core_io_intensive": 5} if cores is None else cores
    capacities = [
        hit(SITE, THEN, **cores),
        hit(other, THEN, core_cpu_intensive=5, core_io_intensive=5),
    ]
    assert await kinds(statuses, capacities) == found


async def test_a_site_that_only_one_metric_has() -> None:
    other = hit("T2_CH_CERN", THEN, core_cpu_intensive=1, core_io_intensive=1)
    assert await kinds([ENABLED], [other]) == [
        ("ssb_site_without_cores", SITE, 1),
        ("ssb_site_without_status", "T2_CH_CERN", 1),
    ]


async def test_what_strikes_all_sites_is_one_finding() -> None:
    sites = [f"T2_XX_{number}" for number in range(7)]
    statuses = [hit(site, THEN, prod_status="drain") for site in sites]
    capacities = [hit(site, THEN, core_cpu_intensive=0, core_io_intensive=0) for site in sites]
    assert await kinds(statuses, capacities) == [
        ("ssb_cores_all_zero", None, 7),
        ("ssb_none_enabled", None, 7),
    ]


@pytest.mark.parametrize(("age", "old"), [(86_400.0, False), (1.6 * 86_400, True)])
async def test_a_day_is_an_age_and_more_is_old(age: float, old: bool) -> None:
    """Rows are written on a change and after midnight."""
    rows = [hit(f"T2_XX_{number}", NOW - age, prod_status="enabled") for number in range(3)]
    cores = [hit(f"T2_XX_{n}", THEN, core_cpu_intensive=1, core_io_intensive=1) for n in range(3)]
    found = await said(rows, cores)
    assert [(each.kind, each.count) for each in found.findings] == ([("ssb_stale", 3)] if old else [])
    assert {site.status_time for site in (found.sites or {}).values()} == {NOW - age}


@pytest.mark.parametrize(
    "row",
    [
        None,
        7,
        {},
        {"_source": None},
        {"_source": {"data": None}, "sort": [1]},
        {"_source": {"data": {"name": "T2_X"}}, "sort": []},
        {"_source": {"data": {"name": "T2_X"}}, "sort": ["soon"]},
        {"_source": {"data": {"name": "T2_X"}}, "sort": [NOW]},
        {"_source": {"data": {"name": "T2_X"}}, "sort": [NOW * 2000]},
        {"_source": {"data": {"name": 7}}, "sort": [THEN * 1000]},
        {"_source": {"data": {"name": "a\nb"}}, "sort": [THEN * 1000]},
        {"_source": {"data": {"name": "x" * 300}}, "sort": [THEN * 1000]},
        {"_source": {"data": {}}, "sort": [THEN * 1000]},
    ],
)
async def test_a_row_that_cannot_be_read_costs_the_row(row: Any) -> None:
    assert await kinds([row, ENABLED], [CORES]) == [("ssb_row_unreadable", None, 1)]
    failed = await poll([row], [CORES])
    assert "sts15min holds no site: 1 rows of which " in str(failed.error)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"timed_out": True}, "not whole: its time was up"),
        ({"_shards": {"total": 5, "failed": 2}}, "not whole: 2 shards failed"),
        ({"hits": None, "error": {"type": "index_not_found_exception"}}, "index_not_found_exception"),
        ({"hits": {"hits": None}}, "not shaped as it should be"),
    ],
)
async def test_an_answer_that_is_not_whole_is_refused(more: dict[str, Any], told: str) -> None:
    assert told in str((await poll([ENABLED], [CORES], **more)).error)


async def test_an_answer_that_may_hold_more_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rcmon.sources.ssb.search.MOST_ROWS", 2)
    assert await kinds([ENABLED] * 2, [CORES]) == [("ssb_answer_full", None, 1)]


@pytest.mark.parametrize("dataset", ["", "../x", "a b", "7\n"])
def test_a_dataset_is_a_word(dataset: str, tmp_path: Any) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(
        f'[[source]]\nname = "s"\nkind = "ssb"\nurl = "https://h"\ndataset = {json.dumps(dataset)}\n'
    )
    with pytest.raises(ConfigError, match="is no Grafana data source"):
        load_sources(path)


def test_nothing_of_a_token_is_shown() -> None:
    source = SSBSource(SSBConfig(name="s", url="https://host", dataset="7"))
    assert repr(source) == "<SSBSource s>"
