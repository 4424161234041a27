"""The journal that a collector writes, cycle after cycle, over real stores."""

import os
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from rcmon.collector.journal import state
from rcmon.model.journal import OF_CYCLES, SITE, JournalEntry, replay
from rcmon.store.journal import JournalSpan, add_entries, read_journal
from rcmon.telemetry.own import CHANGES
from tests.collector.test_collector import Lab, NewLab, expire_lease, new_lab, server_url
from tests.store.made import agent, agent_site

__all__ = ["new_lab", "server_url"]

LATE = 5000.0
"""Past the time for which data of a failing source are kept."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str | URL:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'rcmon.sqlite'}"
    found: str | URL = request.getfixturevalue("server_url")
    return found


async def begin(lab: Lab) -> Lab:
    """Begin with an empty store; the server's may have been used by other tests."""
    await lab.store.migrate()
    await expire_lease(lab.store)
    async with lab.store.transaction() as connection:
        for table in ("snapshot", "history", "journal"):
            await connection.exec_driver_sql(f"DELETE FROM {table}")
    return lab


async def kept(lab: Lab) -> list[JournalEntry]:
    """Read the journal, oldest first."""
    async with lab.store.asking() as connection:
        found = await read_journal(connection, JournalSpan(limit=100_000))
    return [one.entry for one in reversed(found)]


async def cycle(lab: Lab, start: float) -> None:
    """Run a cycle, and see that the journal tells its snapshot."""
    result = await lab.collector.step(start)
    assert result is not None
    assert lab.publisher.trouble is None
    assert replay(await kept(lab)) == state(result)


async def test_what_is_kept_of_each_kind_is_counted(new_lab: NewLab, tmp_path: Path) -> None:
    lab = await begin(new_lab(f"sqlite:///{tmp_path / 'rcmon.sqlite'}"))
    await cycle(lab, 1000.0)
    lab.source.script = [agent("a", [agent_site("T2_XX_Site0001", "Down", slots=7)])]
    await cycle(lab, 1060.0)
    assert lab.journaled == Counter(one.kind for one in await kept(lab))
    assert lab.journaled["state"] == 1
    assert tuple(kind.name for kind in OF_CYCLES) == CHANGES


async def test_replayed_it_tells_every_snapshot_as_sources_fail_change_and_leave(
    url: str | URL, new_lab: NewLab
) -> None:
    lab = await begin(new_lab(url))
    await cycle(lab, 1000.0)
    assert len(await kept(lab)) == 5  # source, agent, three sites
    lab.source.script = [agent("a", [agent_site("T2_XX_Site0001", "Down", slots=7)])]
    await cycle(lab, 1060.0)
    lab.source.mood = "fail"
    await cycle(lab, 1120.0)
    await cycle(lab, 1120.0 + LATE)
    lab.source.mood = ""
    await cycle(lab, 1180.0 + LATE)
    lab.collector.replace_sources([])
    await cycle(lab, 1240.0 + LATE)
    assert replay(await kept(lab)) == {}


async def test_a_restart_writes_nothing_twice_and_misses_nothing(url: str | URL, new_lab: NewLab) -> None:
    lab = await begin(new_lab(url))
    await cycle(lab, 1000.0)
    await lab.publisher.let_go()
    again = new_lab(url)
    await cycle(again, 1060.0)
    assert len(await kept(again)) == 5
    await again.publisher.let_go()
    third = new_lab(url)
    third.source.script = [agent("a", [agent_site("T2_XX_Site0001", "Down", slots=7)])]
    await cycle(third, 1120.0)


async def test_a_clock_that_was_set_back_loses_nothing(url: str | URL, new_lab: NewLab) -> None:
    lab = await begin(new_lab(url))
    await cycle(lab, 9000.0)
    lab.source.script = [agent("a", [agent_site("T2_XX_Site0001", "Down", slots=7)])]
    await cycle(lab, 1000.0)


async def test_a_store_that_was_upgraded_begins_with_all_that_holds(url: str | URL, new_lab: NewLab) -> None:
    """It has snapshots, and a journal that nobody but web workers wrote to yet."""
    lab = await begin(new_lab(url))
    await lab.collector.step(1000.0)
    await lab.publisher.let_go()
    async with lab.store.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM journal")
        await add_entries(connection, [JournalEntry(1001.0, "acknowledgement", {}, None, subject="f")])
    again = new_lab(url)
    again.source.script = [agent("a", [agent_site("T2_XX_Site0001", "Down", slots=7)])]
    await again.collector.step(1060.0)
    sites = [entry.site for entry in await kept(again) if entry.kind == SITE.name]
    assert sites == ["T2_XX_Site0001"]
    await cycle(again, 1120.0)


async def test_a_journal_that_was_lost_begins_anew(
    new_lab: NewLab, tmp_path: Path, server_url: str | URL
) -> None:
    path = tmp_path / "rcmon.sqlite"
    file, shared = new_lab(f"sqlite:///{path}"), new_lab(server_url)
    for lab in (file, shared):
        await cycle(await begin(lab), 1000.0)
    await file.store.close()
    path.write_bytes(os.urandom(20_000))
    await cycle(file, 1060.0)
    async with shared.store.transaction() as connection:
        await connection.exec_driver_sql("DROP TABLE journal")
    await cycle(shared, 1060.0)
    for lab in (file, shared):
        assert [entry.time for entry in await kept(lab)] == [1060.0] * 5


async def test_what_could_not_be_written_is_written_once_it_can(
    new_lab: NewLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = await begin(new_lab(f"sqlite:///{tmp_path / 'rcmon.sqlite'}"))
    await cycle(lab, 1000.0)
    lab.source.script = [agent("a", [agent_site("T2_XX_Site0001", "Down", slots=7)])]
    await lab.store.close()
    with monkeypatch.context() as patch:
        patch.setattr("rcmon.store.engine.PRAGMAS", ("query_only=ON",))
        await lab.collector.step(1060.0)
        assert lab.publisher.trouble is not None
        assert len(await kept(lab)) == 5
        await lab.store.close()
    await cycle(lab, 1120.0)
