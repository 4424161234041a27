"""Whatever a web service or a file of job ads gives as an answer: a poll brings it or says why not."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rcmon.collector.cycle import checked
from rcmon.sources.base import Poll, Source, poll_one
from rcmon.sources.condor import CondorConfig, CondorSource
from tests.anything import octets
from tests.sources.http.asked import NOW
from tests.sources.http.kinds import make_cric, make_ssb, make_wmstats, searched
from tests.sources.http.webservice import answer, serving

BEFORE = NOW - 3600
ROW = {
    "name": "T2_XX_A",
    "prod_status": "enabled",
    "manual_life": "",
    "detail": "x: y",
    "core_cpu_intensive": 8,
}
BOARD = searched([{"_source": {"data": ROW}, "sort": [int(BEFORE * 1000)]}])
CATALOGUE = {
    "desc": {"columns": ["type", "site_name", "alias", "phedex_name", "psn_name"]},
    "result": [["cms", "A", "T2_XX_A", "T2_XX_A_Disk", "T2_XX_A"], ["psn", "A", "T2_XX_A", "B", "T2_XX_A"]],
}
UPSTREAM = Path(__file__).parent.parent / "data" / "upstream"
DOCUMENT = json.loads((UPSTREAM / "agent_info.json").read_bytes()) | {"timestamp": int(BEFORE)}
AGENTS = {"total_rows": 1, "offset": 0, "rows": [{"id": "a", "key": "a", "value": DOCUMENT}]}
ADS = [
    {"JobStatus": 1, "CMS_JobType": "Merge", "WMAgent_AgentName": "a", "DESIRED_Sites": "T2_XX_A, T2_XX_B"},
    {
        "JobStatus": 2,
        "CMS_JobType": "Merge",
        "WMAgent_AgentName": "a",
        "MachineAttrGLIDEIN_CMSSite0": "T2_XX_A",
    },
]


async def poll(source: Source) -> Poll:
    try:
        return await poll_one(source, NOW)
    finally:
        await source.close()


async def poll_web(make: Callable[[str], Source], content: bytes) -> Poll:
    async def say(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(content))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with serving(say) as web:
        return await poll(make(web.url))


def holds(told: Poll) -> None:
    """Hold that a poll brought something that can be shown, or has a sentence; it expected whatever came."""
    assert told.cause is None, told.cause
    assert (told.batch is None) != (told.error is None)
    if told.error is not None:
        assert told.error.strip()
        assert told.error.isprintable(), told.error
    assert checked(told).error == told.error


WEB = [(make_ssb, BOARD), (make_cric, CATALOGUE), (make_wmstats, AGENTS)]


@pytest.mark.hypothesis
@pytest.mark.parametrize(("make", "sound"), WEB, ids=["ssb", "cric", "wmstats"])
def test_any_answer_of_a_service_is_read_or_refused_with_a_sentence(
    make: Callable[[str], Source], sound: object
) -> None:
    @given(octets(sound))
    def any_answer(content: bytes) -> None:
        holds(asyncio.run(poll_web(make, content)))

    whole = asyncio.run(poll_web(make, json.dumps(sound).encode()))
    assert whole.error is None, "what is harmed must have been sound"
    any_answer()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=octets(ADS), agent=st.sampled_from([None, "vocms0281"]))
def test_any_job_ads_are_counted_or_refused_with_a_sentence(
    content: bytes, agent: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "ads.json"
    path.write_bytes(content)
    source = CondorSource(CondorConfig(name="s", file=path, agent=agent, max_age=1e12))
    holds(asyncio.run(poll(source)))
