"""Every document is there, decodes in the shape that is declared for it, and says what the snapshot says."""

import hashlib
import inspect
import zlib

import pytest
from msgspec import json, msgpack
from msgspec.structs import replace

from rcmon.documents import keys, shapes
from rcmon.documents.deflated import inflate
from rcmon.documents.overview import OverviewDocument
from rcmon.documents.wmcore import SiteBacklog, SiteThresholds
from rcmon.model import Finding, Snapshot
from rcmon.render import RENDERINGS, render
from rcmon.render.rendering import Rendering
from tests.render.decoding import Documents, moment, read, rendered
from tests.render.factory import START, snapshot_of


def every_key() -> list[str]:
    """Every key that the room of keys names: its constants, and its functions of an agent."""
    named = [value for name, value in vars(keys).items() if not name.startswith("_")]
    constants = [value for value in named if isinstance(value, str)]
    return constants + [value("{agent}") for value in named if inspect.isfunction(value)]


def test_every_key_has_one_line_in_the_list() -> None:
    listed = [key for rendering in RENDERINGS for key in rendering.keys]
    assert sorted(listed) == sorted(every_key())


@pytest.mark.parametrize("rendering", RENDERINGS, ids=lambda rendering: rendering.keys[0])
def test_a_line_of_the_list_makes_the_documents_that_it_names(
    rendering: Rendering, snapshot: Snapshot
) -> None:
    wanted = [key.format(agent=name) for key in rendering.keys for name in snapshot.agents or [""]]
    made = [document.key for document in rendering.make(snapshot, {})]
    assert len(made) == len(set(made))
    assert set(made) == set(wanted)


def test_every_document_is_there_once(snapshot: Snapshot) -> None:
    made = [document.key for document in render(snapshot)]
    assert len(made) == len(set(made))
    assert set(made) == {key.format(agent=name) for key in every_key() for name in snapshot.agents}


def test_sums_are_those_of_the_inflated_bytes(documents: Documents) -> None:
    for key, document in documents.items():
        plain = inflate(document)
        assert (document.size, document.crc32) == (len(plain), zlib.crc32(plain))
        assert document.key == key
        assert document.open_ended == (key.startswith("metrics.") and key != keys.METRICS_INDEX)
        if not document.open_ended:
            assert document.digest == hashlib.sha256(plain).hexdigest()[:20]


def test_an_expositions_digest_is_of_its_content(documents: Documents, snapshot: Snapshot) -> None:
    """The same for the same, another for whatever differs."""
    again = {document.key: document.digest for document in render(snapshot)}
    other = {document.key: document.digest for document in render(replace(snapshot, duration=9.5))}
    for key in (keys.METRICS_TEXT, keys.METRICS_OPENMETRICS):
        assert again[key] == documents[key].digest != other[key]


def test_media_types(documents: Documents) -> None:
    types = {key: document.media_type for key, document in documents.items()}
    assert types.pop(keys.METRICS_TEXT) == "text/plain; version=0.0.4; charset=utf-8"
    assert types.pop(keys.METRICS_PIECES) == "text/plain; version=0.0.4; charset=utf-8"
    assert types.pop(keys.METRICS_OPENMETRICS) == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    for key in (
        *(keys.FACTS, keys.SITES_INDEX, keys.WHY, keys.DRIFT, keys.EXPECTED),
        keys.METRICS_INDEX,
    ):
        assert types.pop(key) == "application/vnd.msgpack"
    assert set(types.values()) == {"application/json"}


def test_json_is_compact_and_ends_with_a_newline(documents: Documents) -> None:
    for document in documents.values():
        if document.media_type == "application/json":
            plain = inflate(document)
            assert plain == json.encode(json.decode(plain)) + b"\n"


def test_json_holds_exactly_the_declared_fields(documents: Documents, snapshot: Snapshot) -> None:
    for key, shape in json_shapes(snapshot).items():
        plain = inflate(documents[key])
        assert json.decode(json.encode(json.decode(plain, type=shape))) == json.decode(plain)


def json_shapes(snapshot: Snapshot) -> dict[str, type]:
    found: dict[str, type] = {
        keys.SITES: shapes.SitesDocument,
        keys.AGENTS: shapes.AgentsDocument,
        keys.FINDINGS: shapes.FindingsDocument,
        keys.OVERVIEW: OverviewDocument,
    }
    for name in snapshot.agents:
        found[keys.agent(name)] = shapes.AgentDocument
        found[keys.thresholds(name)] = dict[str, SiteThresholds]
        found[keys.backlog(name)] = dict[str, SiteBacklog]
    return found


def test_findings() -> None:
    findings = (
        Finding("null_plugin", "a", "x", 2, "T1_A", "Merge"),
        Finding("agents_differ", None, "y"),
        Finding("upstream_quarantined", None, "z"),
    )
    content = read(rendered(snapshot_of(findings=findings)), keys.FINDINGS, shapes.FindingsDocument)
    assert (moment(content.timestamp), content.count) == (START, 3)
    assert [
        (one.kind, one.agent, one.message, one.count, one.site, one.task, one.severity, one.link)
        for one in content.findings
    ] == [
        ("null_plugin", "a", "x", 2, "T1_A", "Merge", "info", "/wm_resource_monitor/api/sites/T1_A"),
        ("agents_differ", None, "y", 1, None, None, "info", "/wm_resource_monitor/api/sites"),
        (
            *("upstream_quarantined", None, "z", 1, None, None, "info"),
            "/wm_resource_monitor/api/quarantine",
        ),
    ]


def test_an_empty_snapshot_has_empty_documents() -> None:
    made = rendered(snapshot_of())
    assert read(made, keys.SITES, shapes.SitesDocument).sites == []
    assert (
        inflate(made[keys.AGENTS])
        == b'{"timestamp":"2026-01-01T12:00:00.250Z","count":0,"total":0,"next":null,"agents":[]}\n'
    )
    assert msgpack.decode(inflate(made[keys.SITES_INDEX])) == []


def test_what_did_not_change_is_the_same_document(snapshot: Snapshot, documents: Documents) -> None:
    """A cycle later one agent has moved: the other's thresholds are not compressed again."""
    moved, still = sorted(snapshot.agents)
    agent = snapshot.agents[moved]
    name, site = next(iter(agent.sites.items()))
    agent = replace(agent, sites={**agent.sites, name: replace(site, pending_slots=1)})
    later = snapshot_of(agent, snapshot.agents[still], started=START + 60)
    again = {document.key: document for document in render(later, documents)}
    assert again[keys.thresholds(still)] is documents[keys.thresholds(still)]
    assert again[keys.backlog(still)] is documents[keys.backlog(still)]
    for key in (keys.thresholds(moved), keys.agent(still), keys.SITES, keys.METRICS_TEXT, keys.FACTS):
        assert again[key].digest != documents[key].digest
    assert again == rendered(later)


def test_a_document_of_another_kind_is_never_taken_for_the_same(
    snapshot: Snapshot, documents: Documents
) -> None:
    changed = {key: replace(document, open_ended=True) for key, document in documents.items()}
    assert {document.key: document for document in render(snapshot, changed)} == documents


def test_rendering_twice_gives_the_same_bytes(snapshot: Snapshot, documents: Documents) -> None:
    assert rendered(snapshot) == documents
