"""The pieces of an exposition: every agent's samples of every family, where the index says that they are."""

import zlib
from collections import defaultdict

import pytest
from msgspec import msgpack
from msgspec.structs import replace

from rcmon.documents import keys
from rcmon.documents.deflated import RAW_DEFLATE, inflate
from rcmon.documents.pieces import WINDOW, PiecesIndex
from rcmon.model import Agent, AgentSite, Document, Finding, SiteNames, Snapshot, Upstream
from rcmon.render.families import expositions
from rcmon.render.families.table import COLLECTORS, FAMILIES
from tests.render.factory import make_snapshot, site, snapshot_of
from tests.render.reading import labelled, series_of, text_series

FORMATS = {"text": keys.METRICS_TEXT, "openmetrics": keys.METRICS_OPENMETRICS}


def with_findings(snapshot: Snapshot) -> Snapshot:
    """Have a family whose samples are of agents and of none."""
    return replace(snapshot, findings=(*snapshot.findings, Finding("agents_differ", None, "x", 3)))


@pytest.fixture(scope="module")
def made() -> dict[str, Document]:
    """Agents of so many sites that some of their pieces are large ones."""
    return {one.key: one for one in expositions(with_findings(make_snapshot(60, 3)))}


@pytest.fixture(scope="module")
def index(made: dict[str, Document]) -> PiecesIndex:
    return msgpack.decode(inflate(made[keys.METRICS_INDEX]), type=PiecesIndex)


def alone(document: Document, begin: int, length: int) -> bytes:
    """Inflate a piece with nothing before it."""
    inflater = zlib.decompressobj(RAW_DEFLATE)
    return inflater.decompress(document.body[begin : begin + length])


def test_each_piece_stands_alone_and_is_what_the_whole_has(
    made: dict[str, Document], index: PiecesIndex
) -> None:
    for form, key in FORMATS.items():
        whole, put_together = made[key], b""
        for family in index.families:
            if not family.pieces:
                assert not family.heads
                continue
            head = family.heads[form]
            plain = alone(whole, head.begin, head.length)
            assert (len(plain), zlib.crc32(plain)) == (head.size, head.crc32)
            put_together += plain
            for piece in family.pieces:
                begin = head.begin + head.length + piece.begin if piece.shared else piece.begin
                plain = alone(whole if piece.shared else made[keys.METRICS_PIECES], begin, piece.length)
                assert (len(plain), zlib.crc32(plain)) == (piece.size, piece.crc32)
                assert piece.shared == (piece.size >= WINDOW)
                put_together += plain
        assert put_together == inflate(whole)


def test_there_are_large_and_small_pieces(index: PiecesIndex) -> None:
    """Else the test above would hold less than it says."""
    assert {piece.shared for family in index.families for piece in family.pieces} == {False, True}


def test_a_piece_is_of_the_agent_that_its_samples_name(made: dict[str, Document], index: PiecesIndex) -> None:
    of_agents = defaultdict(set)
    for family in index.families:
        for piece in family.pieces:
            if not piece.shared:
                plain = alone(made[keys.METRICS_PIECES], piece.begin, piece.length).decode()
                for _, labels in text_series(plain):
                    of_agents[piece.agent].add(dict(labels).get("agent") or None)
    assert set(of_agents) == {None, *index.agents}
    assert of_agents == {agent: {agent} for agent in of_agents}


def test_the_index_names_every_family_and_its_collector(index: PiecesIndex) -> None:
    assert [family.name for family in index.families] == [family.name for family in FAMILIES]
    assert {family.collector for family in index.families} == set(COLLECTORS)
    for family in index.families:
        assert family.name in {one.name for one in COLLECTORS[family.collector]}


def test_an_agent_that_is_only_found_wanting_is_one_of_them() -> None:
    made = {
        one.key: one
        for one in expositions(Snapshot(1.0, 0.1, 60.0, findings=(Finding("agent_silent", "gone", "x", 1),)))
    }
    index = msgpack.decode(inflate(made[keys.METRICS_INDEX]), type=PiecesIndex)
    assert index.agents == ("gone",)


def test_what_a_site_is_the_catalogue_says_first_and_agents_where_they_agree() -> None:
    sites = {
        name: AgentSite(name, None, None, said, None, None, None)
        for name, said in {
            "T2_CH_CERN_HLT": "T2_CH_CERN_HLT",
            "T1_US_FNAL": "T1_US_FNAL",
            "T2_XY_Odd": None,
            "elsewhere": None,
        }.items()
    }
    other = sites | {"T1_US_FNAL": replace(sites["T1_US_FNAL"], cms_name="T1_US_Other")}
    agents = {"a": Agent("a", 1.0, sites), "b": Agent("b", 1.0, other)}
    snapshot = replace(
        snapshot_of(*agents.values()),
        sites={name: site(name, agents) for name in sites},
        given={"cric": Upstream(names={"T2_CH_CERN_HLT": SiteNames("T2_CH_CERN", ())})},
    )
    series = {labels for name, labels in series_of(snapshot) if name == "rcmon_site_info"}
    assert series == {
        labelled(site="T2_CH_CERN_HLT", tier="T2", cms_name="T2_CH_CERN", country="CH"),
        labelled(site="T1_US_FNAL", tier="T1", cms_name="", country="US"),
        labelled(site="T2_XY_Odd", tier="T2", cms_name="", country="XY"),
        labelled(site="elsewhere", tier="", cms_name="", country=""),
    }


def test_zeros_of_jobs_may_be_left_out() -> None:
    snapshot = make_snapshot(4, 1)
    sparse, full = (
        text_series(inflate(expositions(snapshot, zeros=zeros)[0]).decode()) for zeros in (False, True)
    )
    left_out = {key for key, value in full.items() if key[0] == "rcmon_task_jobs" and not value}
    assert left_out
    assert sparse == {key: value for key, value in full.items() if key not in left_out}
