"""A rolling update: a worker over the snapshot of a collector of another version, older or newer."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from rcmon.documents import keys
from rcmon.model import Document
from rcmon.render import render
from rcmon.store import Store, extract, snapshots
from rcmon.web.app import TABLE
from tests.web.grid import make_snapshot
from tests.web.serving import Serving

OLD = Path(__file__).parents[1] / "store" / "data" / "version1.sqlite.gz"
"""Written by the last release: its findings are called `quality`, its facts know of no health."""
AGENT = min(make_snapshot().agents)
SITE = min(make_snapshot().sites)
RESOURCES = {
    keys.METRICS_TEXT: ["/api/metrics"],
    keys.SITES: ["/api/sites"],
    keys.SITES_INDEX: [f"/api/sites/{SITE}", f"/api/sites/{SITE}/expected", "/api/sites?tier=T1", "/"],
    keys.AGENTS: ["/api/agents"],
    keys.FINDINGS: ["/api/findings"],
    keys.DRIFT: ["/api/drift"],
    keys.OVERVIEW: ["/api/overview"],
    keys.EXPECTED: [f"/api/sites/{SITE}/expected"],
    keys.agent(AGENT): [f"/api/agents/{AGENT}"],
    keys.thresholds(AGENT): [f"/api/agents/{AGENT}/thresholds"],
    keys.backlog(AGENT): [f"/api/agents/{AGENT}/backlog"],
}
"""What each document serves."""
ALWAYS = ["/api/status", "/api", "/api/whoami"]


async def publish(service: Serving, documents: Sequence[Document], written: int) -> None:
    """Store documents as a collector does whose format they are of."""
    assert service.store
    packed = snapshots.pack_all(make_snapshot(), documents)
    async with service.store.transaction() as connection:
        await snapshots.add_snapshot(connection, packed, written)
    assert await service.board.check()


async def codes(service: Serving) -> dict[str, int]:
    paths = [*ALWAYS, *(path for served in RESOURCES.values() for path in served)]
    found = {}
    for path in paths:
        answer = await service.ask(path)
        found[path] = answer.code
        if answer.code == 503:
            assert answer.headers["Retry-After"], path
            assert b"no document" in answer.body, answer.body
    return found


@pytest.mark.parametrize("missing", RESOURCES)
async def test_what_is_missing_is_503_for_that_resource_alone(service: Serving, missing: str) -> None:
    await publish(service, [one for one in render(make_snapshot()) if one.key != missing], keys.FORMAT)
    assert {path for path, code in (await codes(service)).items() if code != 200} == set(RESOURCES[missing])
    assert service.board.trouble is None


async def test_the_snapshot_of_the_last_release_is_served_but_for_what_it_did_not_make(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rcmon.sqlite"
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    store = Store(f"sqlite:///{path}")
    await store.migrate()
    service = Serving(table=TABLE, store=store)
    try:
        assert await service.board.check()
        assert service.board.trouble is None
        expected = dict.fromkeys([*ALWAYS, "/", "/api/metrics", "/api/sites", "/api/sites/T1_XX_A"], 200)
        expected |= dict.fromkeys(["/api/agents", "/api/agents/old", "/api/sites?tier=T1"], 200)
        expected |= dict.fromkeys(["/api/agents/old/thresholds", "/api/agents/old/backlog"], 200)
        expected |= {"/api/findings": 503}
        assert {path: (await service.ask(path)).code for path in expected} == expected
        assert "another version" in str((await service.ask("/api/findings")).body)
        async with store.asking() as connection:
            found = await extract.read_site(connection, "T1_XX_A", extract.Span(0, 2e9, 10))
        assert [row.state for row in found.changes] == ["Normal", "Down", "Normal", "Draining"]
    finally:
        await service.end()


async def test_a_newer_snapshot_is_served_with_documents_and_fields_that_nobody_knows(
    service: Serving,
) -> None:
    made = render(make_snapshot())
    more = msgspec.structs.replace(made[0], key="of.tomorrow")
    await publish(service, [*made, more], keys.FORMAT)
    assert set((await codes(service)).values()) == {200}


async def test_a_format_that_is_not_known_is_not_guessed_at(service: Serving) -> None:
    """Its facts cannot be read: the snapshot before stays, and it is told why."""
    before = service.board.current
    assert service.store
    packed = snapshots.pack_all(make_snapshot(), render(make_snapshot()))
    async with service.store.transaction() as connection:
        await snapshots.add_snapshot(connection, packed, max(keys.READABLE) + 1)
    assert not await service.board.check()
    assert service.board.current is before
    assert "another version" in str(service.board.trouble)
    assert set((await codes(service)).values()) == {200}
