"""The catalogue of sites: what processing sites are called and read from."""

import asyncio
import json
from typing import Any

import pytest

from rcmon.model import SiteNames, Upstream
from rcmon.sources.base import Poll
from tests.sources.http.asked import NOW, asked, said_by
from tests.sources.http.kinds import make_cric
from tests.sources.http.webservice import answer, serving

NAMES = ["type", "alias", "site_name"]
PROCESSING = ["phedex_name", "psn_name", "site_name"]
SITES = [["cms", "T2_CH_CERN", "CERN-PROD"], ["psn", "T2_CH_CERN", "CERN-PROD"]]
READS = [["T2_CH_CERN", "T2_CH_CERN", "CERN-PROD"], ["T0_CH_CERN_Disk", "T2_CH_CERN", "CERN-PROD"]]


def table(columns: Any, rows: Any) -> dict[str, Any]:
    return {"desc": {"columns": columns, "title": "x"}, "result": rows}


async def poll(sites: Any, reads: Any) -> Poll:
    answers = {b"preset=site-names": sites, b"preset=data-processing": reads}
    return await asked(make_cric, answers)


async def said(sites: Any, reads: Any) -> Upstream:
    return said_by(await poll(table(NAMES, sites), table(PROCESSING, reads)))


async def test_names_and_storage_of_a_site() -> None:
    found = await said(SITES, READS)
    assert found.findings == ()
    assert found.names == {"T2_CH_CERN": SiteNames("T2_CH_CERN", ("T0_CH_CERN_Disk", "T2_CH_CERN"))}


async def test_sites_belong_together_by_the_site_that_they_are_names_of() -> None:
    sites = [*SITES, ["psn", "T2_CH_CERN_HLT", "CERN-PROD"], ["psn", "T3_XX_Lone", "LONE"], ["x", "y", "z"]]
    found = await said(sites, [*READS, ["T3_XX_Disk", "T3_XX_Unlisted", "?"]])
    assert found.names is not None
    assert list(found.names) == sorted(found.names)
    assert found.names["T2_CH_CERN_HLT"] == SiteNames("T2_CH_CERN", ())
    assert found.names["T3_XX_Lone"] == SiteNames(None, ())
    assert found.names["T3_XX_Unlisted"] == SiteNames(None, ("T3_XX_Disk",))


async def test_two_names_are_none() -> None:
    sites = [*SITES, ["cms", "T0_CH_CERN", "CERN-PROD"], ["psn", "T2_CH_CERN_P5", "CERN-PROD"]]
    found = await said(sites, READS)
    assert (found.names or {})["T2_CH_CERN"].cms_name == "T2_CH_CERN"
    assert (found.names or {})["T2_CH_CERN_P5"].cms_name is None
    (finding,) = found.findings
    assert (finding.kind, finding.site) == ("cric_cms_name_ambiguous", "T2_CH_CERN_P5")


@pytest.mark.parametrize(
    "row", [None, 7, {}, [], ["psn"], ["psn", None, "X"], ["psn", 7, "X"], ["psn", "a\x00b", "X"], [1] * 3]
)
async def test_a_row_that_cannot_be_read_costs_the_row(row: Any) -> None:
    found = await said([*SITES, row], READS)
    assert list(found.names or {}) == ["T2_CH_CERN"]
    (finding,) = found.findings
    assert (finding.kind, finding.count) == ("cric_row_unreadable", 1)
    assert "rows of site-names that cannot be read, the first because " in finding.message


@pytest.mark.parametrize(
    ("sites", "reads", "told"),
    [
        (table(["type", "alias"], SITES), table(PROCESSING, READS), "site-names has no column 'site_name'"),
        (table(NAMES, []), table(PROCESSING, READS), "site-names holds no row"),
        (table(NAMES, SITES), table(PROCESSING, []), "data-processing holds no row"),
        (table(NAMES, [["x", "y", "z"]]), table(PROCESSING, [[]]), "neither table names a processing site"),
        (table(NAMES, None), table(PROCESSING, READS), "not shaped as it should be"),
        ({"error": "no"}, table(PROCESSING, READS), "not shaped as it should be"),
    ],
)
async def test_a_table_that_cannot_be_read_is_refused(sites: Any, reads: Any, told: str) -> None:
    assert told in str((await poll(sites, reads)).error)


async def test_what_is_unchanged_is_not_sent_again() -> None:
    async def say(head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        rows = table(NAMES, SITES) if b"site-names" in head else table(PROCESSING, READS)
        known = b'If-None-Match: "7"\r\n' in head
        body = b"" if known else json.dumps(rows).encode()
        writer.write(answer(body, "304 Not Modified" if known else "200 OK", ETag='"7"'))
        await writer.drain()
        writer.close()

    async with serving(say) as web:
        source = make_cric(web.url)
        first, second = await source.poll(NOW), await source.poll(NOW + 60)
    assert (second.upstream, second.polled_at) == (first.upstream, NOW + 60)
    assert [b"If-None-Match" in head for head in web.heads] == [False, False, True, True]
