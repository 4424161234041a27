import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from rcmon.demo.agents import AGENTS, DemoAgent
from rcmon.demo.databases import build_databases, database
from rcmon.model import JOB_STATES

NOW = 1_780_000_000
Query = Callable[..., list[tuple[object, ...]]]

ODDITIES = {
    "no cms_name": "SELECT COUNT(*) FROM wmbs_location WHERE cms_name IS NULL",
    "no plugin": "SELECT COUNT(*) FROM bl_runjob r JOIN wmbs_location l ON l.id = r.location"
    " WHERE r.status = '1' AND l.plugin IS NULL",
    "no slots": "SELECT COUNT(*) FROM wmbs_location WHERE running_slots IS NULL",
    "jobs without threshold": "SELECT COUNT(*) FROM bl_runjob r WHERE status = '1' AND NOT EXISTS"
    " (SELECT 1 FROM rc_threshold t WHERE t.site_id = r.location)",
    "threshold twice": "SELECT COUNT(*) FROM (SELECT 1 FROM rc_threshold GROUP BY site_id, sub_type_id"
    " HAVING COUNT(*) > 1)",
    "two active rows": "SELECT COUNT(*) FROM (SELECT 1 FROM bl_runjob WHERE status = '1' GROUP BY wmbs_id"
    " HAVING COUNT(*) > 1)",
    "unlisted batch status": "SELECT COUNT(*) FROM bl_runjob r JOIN bl_status s ON s.id = r.sched_status"
    " WHERE s.name = 'Transferring' AND r.status = '1'",
    "dead worker": f"SELECT COUNT(*) FROM wm_workers WHERE last_updated < {NOW - 7200}",
}


def dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


def test_same_seed_and_time_give_the_same_databases(built: Path, tmp_path: Path) -> None:
    build_databases(tmp_path, "test", NOW)
    for agent in AGENTS:
        assert dump(database(tmp_path, agent)) == dump(database(built, agent))
    build_databases(tmp_path, "another", NOW)
    assert dump(database(tmp_path, AGENTS[0])) != dump(database(built, AGENTS[0]))


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.name)
def test_database_is_sound_and_full(built: Path, query: Query, agent: DemoAgent) -> None:
    path = database(built, agent)
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    assert query(path, "PRAGMA foreign_key_check") == []
    states = dict(
        query(
            path, "SELECT s.name, COUNT(*) FROM wmbs_job j JOIN wmbs_job_state s ON s.id = j.state GROUP BY 1"
        )
    )
    assert set(states) == set(JOB_STATES)
    assert 3000 < sum(map(int, states.values())) < 10000  # type: ignore[call-overload]
    busy = query(
        path,
        "SELECT COUNT(DISTINCT r.location), COUNT(DISTINCT s.subtype) FROM bl_runjob r"
        " JOIN wmbs_job j ON j.id = r.wmbs_id JOIN wmbs_jobgroup g ON g.id = j.jobgroup"
        " JOIN wmbs_subscription s ON s.id = g.subscription WHERE r.status = '1'",
    )
    sites, types = busy[0]
    assert isinstance(sites, int)
    assert sites > 100
    assert types == 7


@pytest.mark.parametrize("oddity", ODDITIES)
def test_each_oddity_is_somewhere_and_not_everywhere(built: Path, query: Query, oddity: str) -> None:
    found = [query(database(built, agent), ODDITIES[oddity])[0][0] for agent in AGENTS]
    assert any(found)
    if oddity not in ("unlisted batch status", "two active rows"):
        assert not all(found)


def test_agents_disagree_about_one_site(built: Path, query: Query) -> None:
    statement = "SELECT l.site_name, s.name FROM wmbs_location l JOIN wmbs_location_state s ON s.id = l.state"
    states = [dict(query(database(built, agent), statement)) for agent in AGENTS]
    differing = [site for site in states[0] if len({state[site] for state in states}) > 1]
    assert differing == ["T2_TR_METU"]
    assert {"Normal", "Draining", "Down", "Aborted"} == set(states[0].values())


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.name)
def test_sites_are_within_their_slots(built: Path, query: Query, agent: DemoAgent) -> None:
    rows = query(
        database(built, agent),
        "SELECT l.site_name, l.running_slots, l.pending_slots,"
        " SUM(s.name IN ('Running', 'TransferOutput')), SUM(s.name IN ('New', 'Idle'))"
        " FROM wmbs_location l JOIN bl_runjob r ON r.location = l.id AND r.status = '1'"
        " JOIN bl_status s ON s.id = r.sched_status GROUP BY 1 HAVING l.running_slots IS NOT NULL",
    )
    assert len(rows) > 100
    for site, running_slots, pending_slots, running, pending in rows:
        assert running <= running_slots, site  # type: ignore[operator]
        assert pending <= pending_slots, site  # type: ignore[operator]


def test_jobs_run_only_where_their_input_and_site_list_allow(built: Path, query: Query) -> None:
    strays = query(
        database(built, AGENTS[0]),
        "SELECT COUNT(*) FROM bl_runjob r JOIN wmbs_job j ON j.id = r.wmbs_id"
        " JOIN wmbs_jobgroup g ON g.id = j.jobgroup JOIN wmbs_job_assoc a ON a.job = j.id"
        " LEFT JOIN wmbs_subscription_validation v"
        "  ON v.subscription_id = g.subscription AND v.location_id = r.location"
        " WHERE v.valid = 0 OR NOT EXISTS (SELECT 1 FROM wmbs_file_location f"
        "  JOIN wmbs_location_pnns p ON p.pnn = f.pnn WHERE f.fileid = a.fileid AND p.location = r.location)",
    )
    assert strays == [(0,)]


def test_an_earlier_demos_log_is_not_applied_to_the_new_database(tmp_path: Path, query: Query) -> None:
    """A demo that was killed leaves a write-ahead log beside the database of the same name."""
    build_databases(tmp_path, "test", NOW)
    path = database(tmp_path, AGENTS[0])
    writer = sqlite3.connect(path)
    writer.execute("DELETE FROM bl_runjob")
    writer.commit()
    log = path.with_name(path.name + "-wal")
    kept = log.read_bytes()
    writer.close()
    log.write_bytes(kept)
    build_databases(tmp_path, "test", NOW)
    assert not log.exists()
    assert query(path, "SELECT COUNT(*) > 3000 FROM bl_runjob") == [(1,)]
