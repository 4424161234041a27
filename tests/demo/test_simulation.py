import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rcmon.demo.agents import AGENTS
from rcmon.demo.databases import ads_file, database
from rcmon.demo.odd import BATCH
from rcmon.demo.simulation import Simulation

NOW = 1_780_000_000
Query = Callable[..., list[tuple[object, ...]]]

JOBS = "SELECT j.id, s.name FROM wmbs_job j JOIN wmbs_job_state s ON s.id = j.state"
SITES = "SELECT l.site_name, s.name FROM wmbs_location l JOIN wmbs_location_state s ON s.id = l.state"
SIZE = "SELECT (SELECT COUNT(*) FROM wmbs_job), (SELECT COUNT(*) FROM bl_runjob)"

# WMCore's JobStateMachine.Transitions
TRANSITIONS = {
    "new": {"created", "createfailed", "killed"},
    "created": {"executing", "submitfailed", "createfailed", "killed"},
    "executing": {"complete", "jobfailed", "killed"},
    "complete": {"jobfailed", "success"},
    "createfailed": {"createcooloff", "retrydone", "killed"},
    "submitfailed": {"submitcooloff", "retrydone", "killed"},
    "jobfailed": {"jobcooloff", "retrydone", "killed"},
    "createcooloff": {"created", "createpaused", "retrydone", "killed"},
    "submitcooloff": {"created", "submitpaused", "retrydone", "killed"},
    "jobcooloff": {"created", "jobpaused", "retrydone", "killed"},
    "success": {"cleanout"},
    "retrydone": {"exhausted", "killed"},
    "exhausted": {"cleanout"},
    "killed": {"cleanout", "killed"},
    "jobpaused": {"created", "retrydone", "killed"},
    "createpaused": {"created", "retrydone", "killed"},
    "submitpaused": {"created", "retrydone", "killed"},
    "cleanout": {None},
}


@pytest.fixture
def simulation(directory: Path) -> Iterator[Simulation]:
    made = Simulation(directory, "test")
    yield made
    made.close()


def test_nothing_is_opened_before_the_first_step(tmp_path: Path) -> None:
    Simulation(tmp_path / "missing", "test").close()
    assert not (tmp_path / "missing").exists()


def test_jobs_go_the_ways_that_wmcore_allows(simulation: Simulation, directory: Path, query: Query) -> None:
    path = database(directory, AGENTS[0])
    seen: Counter[tuple[object, object]] = Counter()
    before = dict(query(path, JOBS))
    for second in range(150):
        simulation.step(NOW + second)
        after = dict(query(path, JOBS))
        seen.update((before.get(job), after.get(job)) for job in before.keys() | after.keys())
        before = after
    moves = Counter({(old, new): count for (old, new), count in seen.items() if old != new})
    forbidden = [(old, new) for old, new in moves if old and new not in TRANSITIONS[str(old)]]
    assert not forbidden
    assert {new for old, new in moves if old is None} == {"new"}
    for usual in [
        ("new", "created"),
        ("created", "executing"),
        ("executing", "complete"),
        ("cleanout", None),
    ]:
        assert moves[usual] > 10, usual


def test_what_is_in_memory_is_what_is_in_the_database(
    simulation: Simulation, directory: Path, query: Query
) -> None:
    """A simulation that goes on knows what one that starts afresh would read."""
    for step in range(40):
        simulation.step(NOW + 20 * step)
    for agent in AGENTS:
        world = simulation._agents[agent.name].world
        rows = query(
            database(directory, agent),
            "SELECT j.id, COALESCE(b.name, s.name), l.site_name, j.retry_count FROM wmbs_job j"
            " JOIN wmbs_job_state s ON s.id = j.state LEFT JOIN wmbs_location l ON l.id = j.location"
            " LEFT JOIN bl_runjob r ON r.wmbs_id = j.id AND r.status = '1' AND s.name = 'executing'"
            "  AND r.retry_count = j.retry_count"
            " LEFT JOIN bl_status b ON b.id = r.sched_status",
        )
        assert sorted(rows) == sorted(
            (job.row, job.phase, job.room and job.room.name, job.retry) for job in world.jobs.values()
        )
        for room in world.rooms.values():
            inside = [job for job in world.jobs.values() if job.room is room]
            running = sum(job.phase in ("Running", "TransferOutput") for job in inside)
            pending = sum(job.phase in ("New", "Idle") for job in inside)
            assert (running, pending) == (room.running.total(), room.pending.total())
            assert running <= room.limits.site.running
            assert pending <= room.limits.site.pending


def test_rows_stay_bounded_and_sites_come_and_go(
    simulation: Simulation, directory: Path, query: Query
) -> None:
    """Fifty minutes, in long steps."""
    started = [query(database(directory, agent), SIZE)[0] for agent in AGENTS]
    away: Counter[object] = Counter()
    for step in range(100):
        simulation.step(NOW + 30 * step)
        states = dict(query(database(directory, AGENTS[1]), SITES))
        away.update(site for site, state in states.items() if state != "Normal")
        assert sum(state != "Normal" for state in states.values()) <= 12
    for agent, (jobs, runs) in zip(AGENTS, started, strict=True):
        jobs_now, runs_now = query(database(directory, agent), SIZE)[0]
        assert 0.5 < int(jobs_now) / int(jobs) < 2.5  # type: ignore[call-overload]
        assert 0.5 < int(runs_now) / int(runs) < 2.5  # type: ignore[call-overload]
    assert len(away) > 20
    assert all(steps < 100 for steps in away.values())
    assert query(database(directory, AGENTS[0]), "PRAGMA foreign_key_check") == []


def test_a_site_that_leaves_normal_loses_its_pending_jobs(simulation: Simulation) -> None:
    simulation.step(NOW)
    world = simulation._agents["vocms0281"].world
    room = max(world.rooms.values(), key=lambda room: room.pending.total() * (room.state == "Normal"))
    running = room.running.total()
    assert room.pending.total() > 5
    assert running > 5
    doomed = [job for job in world.jobs.values() if job.room is room and job.phase in ("New", "Idle")]
    world.change_site(room.name, "Draining", NOW)
    assert (room.pending.total(), room.running.total()) == (0, running)
    world.advance(5, NOW + 5)
    assert {job.phase for job in doomed} == {"Removed"}, "moved by what was planned before"
    world.change_site(room.name, "Aborted", NOW + 5)
    assert room.running.total() == 0
    assert not room.takes("Merge")


def test_draining_takes_what_wmcore_lets_it_take(simulation: Simulation) -> None:
    simulation.step(NOW)
    world = simulation._agents["vocms0281"].world
    room = next(room for room in world.rooms.values() if room.state == "Normal" and not room.pending)
    for state, taken in [
        ("Normal", {"Production", "Processing", "Merge", "Cleanup", "Harvesting", "LogCollect", "Skim"}),
        ("Draining", {"Merge", "Cleanup", "Harvesting", "LogCollect"}),
        ("Down", set()),
        ("Aborted", set()),
    ]:
        world.change_site(room.name, state, NOW)
        assert {task for task in room.limits.tasks if room.takes(task)} == taken


@pytest.mark.parametrize("gap", [36_000, -7200])
def test_it_goes_on_after_a_sleep_or_a_clock_set_back(
    simulation: Simulation, directory: Path, query: Query, gap: int
) -> None:
    for second in range(5):
        simulation.step(NOW + second)
    path = database(directory, AGENTS[0])
    before = dict(query(path, JOBS))
    later = NOW + 5 + gap
    simulation.step(later)
    after = dict(query(path, JOBS))
    moved = sum(after.get(job) != state for job, state in before.items())
    assert moved < len(before) / 4
    for second in range(1, 30):
        simulation.step(later + second)
    assert query(path, "SELECT COUNT(*) FROM wmbs_job WHERE state_time > ?", later + 5) > [(20,)]
    beats = query(path, "SELECT last_updated, poll_interval FROM wm_workers")
    assert all(abs(later - int(beat)) <= int(interval) + 30 for beat, interval in beats)  # type: ignore[call-overload]


def test_no_file_of_job_ads_becomes_old(simulation: Simulation, directory: Path) -> None:
    """Each is put in place anew within a minute: of one that is not, its source says that it is old."""
    files = {ads_file(directory, name) for name in [*(agent.name for agent in AGENTS), BATCH]}
    simulation.step(NOW)
    for file in files:
        file.unlink(missing_ok=True)
    for second in range(1, 61):
        simulation.step(NOW + second)
    assert {*directory.glob("*.ads.json")} == files


def test_workers_beat_but_for_the_dead_one(simulation: Simulation, directory: Path, query: Query) -> None:
    for step in range(30):
        simulation.step(NOW + 20 * step)
    late = {
        (agent.name, name)
        for agent in AGENTS
        for (name,) in query(
            database(directory, agent),
            "SELECT name FROM wm_workers WHERE ? - last_updated > poll_interval + 20",
            NOW + 580,
        )
    }
    assert late == {("cmsgwms-submit7", "RucioInjectorPoller")}


def test_a_reader_is_never_blocked_and_sees_one_moment(
    simulation: Simulation, directory: Path, query: Query
) -> None:
    path = database(directory, AGENTS[0])
    simulation.step(NOW)
    query(path, "BEGIN")
    before = query(path, JOBS)
    for second in range(1, 40):
        simulation.step(NOW + second)
    assert query(path, JOBS) == before
    query(path, "COMMIT")
    assert query(path, JOBS) != before


def test_a_failed_step_leaves_nothing_behind_and_the_next_goes_on(
    simulation: Simulation, directory: Path, query: Query
) -> None:
    path = database(directory, AGENTS[1])
    simulation.step(NOW)
    with sqlite3.connect(path) as fault:
        fault.execute(
            "CREATE TRIGGER fault BEFORE UPDATE ON bl_runjob BEGIN SELECT RAISE(ABORT, 'no more'); END"
        )
    before = query(path, JOBS)
    with pytest.raises(sqlite3.IntegrityError, match="no more"):
        simulation.step(NOW + 20)
    assert query(path, JOBS) == before
    fault.execute("DROP TRIGGER fault")
    fault.close()
    for second in range(21, 30):
        simulation.step(NOW + second)
    assert query(path, JOBS) != before


def test_run_ends_when_told_to(directory: Path, query: Query) -> None:
    path = database(directory, AGENTS[2])
    before = query(path, JOBS)
    stop = Counted(steps=4)
    thread = threading.Thread(target=Simulation(directory, "test").run, args=(stop, stop.clock))
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert query(path, JOBS) != before


def test_run_survives_errors_and_logs_them_once(
    directory: Path, caplog: pytest.LogCaptureFixture, query: Query
) -> None:
    path = database(directory, AGENTS[2])
    aside = path.with_suffix(".aside")
    path.rename(aside)
    stop = Counted(steps=6, at={3: lambda: aside.replace(path)})
    with caplog.at_level(logging.WARNING):
        Simulation(directory, "test").run(stop, stop.clock)
    assert len(caplog.records) == 1
    assert str(directory) in caplog.text
    assert query(path, "SELECT MAX(state_time) FROM wmbs_job") > [(NOW,)]


class Counted:
    """A stop that comes after some steps, and a clock on which each takes ten seconds."""

    def __init__(self, steps: int, at: dict[int, Callable[[], object]] | None = None) -> None:
        self.left = steps
        self.time = float(NOW)
        self.at = at or {}

    def wait(self, timeout: float) -> bool:
        self.left -= 1
        self.time += 10
        self.at.get(self.left, lambda: None)()
        return self.left < 0

    def clock(self) -> float:
        return self.time
