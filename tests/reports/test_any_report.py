"""Whatever is sent as a report is one, or is refused with a sentence: there is no other error."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rcmon.model import AgentReport
from rcmon.model.freshness import AHEAD
from rcmon.reports import AGENT_INFO, KINDS, ReportError, read_agent_info, understand
from rcmon.reports.agent_info import AgentInfo
from tests.anything import anything, texts

SAMPLE = json.loads((Path(__file__).parent.parent / "data" / "upstream" / "agent_info.json").read_bytes())
NOW = float(SAMPLE["timestamp"])

sites = st.dictionaries(texts, st.dictionaries(texts, st.dictionaries(texts, st.integers(-1, 5))))
broken = st.dictionaries(st.sampled_from((*AgentInfo.__struct_fields__, "type")), anything, max_size=2)
"""Members of an agent's document that are anything."""
octets = (
    st.binary(max_size=200)
    | st.builds(
        lambda start, put: start + put + b"}", st.sampled_from([b'{"timestamp":', b'{"a":']), st.binary()
    )
    | (anything | sites | broken.map(lambda other: {**SAMPLE, **other})).map(
        lambda one: json.dumps(one).encode()
    )
)


@given(octets, st.sampled_from([NOW, 0.0, -1e12, 1e300]))
@example(b"[" * 100_000, NOW)
@example(b'{"agent_url":' * 100_000, NOW)
@example(b'{"timestamp": NaN, "agent_url": "a"}', NOW)
@example(b'{"timestamp": 1e999, "agent_url": "a"}', NOW)
@example(b'{"T2_CH_CERN": {"Merge": {"\\ud800": 1}}}', NOW)
def test_any_bytes_are_a_report_or_are_refused_with_a_sentence(body: bytes, now: float) -> None:
    for read in (understand, read_agent_info):
        with contextlib.suppress(ReportError):
            assert read(body, now) == read(body, now)
            continue
        with pytest.raises(ReportError, match=r"\S"):
            read(body, now)


@given(broken)
def test_what_is_taken_whole_means_the_same_to_both_readers(other: dict[str, object]) -> None:
    """WMStats' reader leaves out what is wrong: where nothing is, both must say the same."""
    body = json.dumps({**SAMPLE, **other}).encode()
    try:
        understood = understand(body, NOW)
    except ReportError:
        return
    assert understood.kind == AGENT_INFO
    assert understood.report == read_agent_info(body, NOW)


@given(broken)
def test_a_part_that_is_wrong_costs_that_part_alone(other: dict[str, object]) -> None:
    """Whatever the rest is, the host and the time that WMStats' document was written stay what they are."""
    kept = {"agent_url": SAMPLE["agent_url"], "timestamp": NOW}
    report = read_agent_info(json.dumps({**SAMPLE, **other, **kept}).encode(), NOW)
    assert isinstance(report, AgentReport)
    assert (report.host, report.time) == ("vocms0999.cern.ch", NOW)


@pytest.mark.parametrize("ahead", [AHEAD, AHEAD + 1])
def test_the_sample_is_a_report_until_it_is_too_far_ahead(ahead: float) -> None:
    """What the properties above begin from is taken: they hold of more than refusals."""
    body = json.dumps(SAMPLE).encode()
    if ahead <= AHEAD:
        understood = understand(body, NOW - ahead)
        assert isinstance(understood.report, AgentReport)
        assert understood.kind in KINDS
    else:
        with pytest.raises(ReportError, match="ahead of the clock"):
            understand(body, NOW - ahead)
