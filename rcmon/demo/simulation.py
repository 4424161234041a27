"""The simulation: it moves the demo agents' databases, a little each second, for as long as the demo runs."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rcmon.demo.agents import AGENTS, STUBBORN_SITES, DemoAgent
from rcmon.demo.changes import Changes, write
from rcmon.demo.databases import database, write_ads
from rcmon.demo.grid import dice
from rcmon.demo.loading import load_world
from rcmon.demo.odd import BATCH, Testbed
from rcmon.demo.odd import upstream as odd
from rcmon.demo.schema import connect, ids
from rcmon.demo.serving import BOARD, CATALOGUE, SECOND_BOARD, SECOND_CATALOGUE, STATS, Documents
from rcmon.demo.sitestates import SiteStates
from rcmon.demo.upstream import Known, ads, board, names, reports, second_board, second_names
from rcmon.demo.workers import Workers
from rcmon.demo.world import World

STEP = 1.0
"""Seconds between steps."""
LONGEST_STEP = 30.0
"""What is made up for at once; if more time passed, the rest never happened."""

TELL_EVERY = 10.0
"""Seconds between what the upstreams say."""

LOG = logging.getLogger(__name__)


class _MovingAgent:
    """One agent whose database is open for writing."""

    def __init__(self, path: Path, agent: DemoAgent, seed: str) -> None:
        self._connection = connect(path)
        try:
            self._states = ids(self._connection, "wmbs_job_state")
            self._statuses = ids(self._connection, "bl_status")
            self._workers = Workers(dice(seed, agent.name, "workers"), self._connection, agent)
            self.world: World = load_world(self._connection, agent, len(AGENTS), seed)
        except BaseException:
            self._connection.close()
            raise

    def step(self, seconds: float, now: int) -> None:
        """Let `seconds` pass and write what happened in one transaction."""
        self.world.advance(seconds, now)
        changes, self.world.changes = self.world.changes, Changes()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            write(self._connection, changes, self._states, self._statuses)
            self._workers.beat(self._connection, now)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


class Simulation:
    """Moves the databases in `directory` (see build_databases). Nothing is opened before the first step.

    Use it from one thread. Not more than one may move the same databases.
    """

    def __init__(self, directory: Path, seed: str) -> None:
        self._directory = directory
        self._seed = seed
        self._agents: dict[str, _MovingAgent] = {}
        self._testbed = Testbed(lambda agent: database(directory, agent))
        self._sites: SiteStates | None = None
        self._last: float | None = None
        self._known: dict[str, Known] = {}
        self._begun = 0
        self._told: float | None = None
        self._turn = 0
        self._disused: tuple[int, Mapping[str, bytes]] | None = None
        self.documents = Documents()
        """What the upstreams say."""

    def step(self, now: float) -> None:
        """Bring the databases to `now` (seconds since the epoch).

        After a gap longer than LONGEST_STEP, or a clock set back, it goes on as if no time had passed
        beyond that. Raises sqlite3.Error; the next step then reads the databases afresh.
        """
        passed = 0.0 if self._last is None else min(max(0.0, now - self._last), LONGEST_STEP)
        self._last = now
        try:
            self._open()
            for agent, site, state in self._changed_sites(passed):
                self._agents[agent].world.change_site(site, state, int(now))
            for moving in self._agents.values():
                moving.step(passed, int(now))
            self._tell(now)
        except BaseException:
            self.close()
            raise

    def run(self, stop: threading.Event, clock: Callable[[], float] = time.time) -> None:
        """Step each second until `stop` says so; an error is logged and the step after it begins afresh."""
        failed = False
        try:
            while not stop.wait(STEP):
                try:
                    self.step(clock())
                    failed = False
                except (sqlite3.Error, OSError) as error:
                    if not failed:
                        LOG.warning("demo simulation in %s: %s; trying again", self._directory, error)
                    failed = True
        finally:
            self.close()

    def close(self) -> None:
        """Close the databases; another step opens them again."""
        while self._agents:
            self._agents.popitem()[1].close()
        self._testbed.close()
        self._sites = None

    def _tell(self, now: float) -> None:
        """Let the upstreams say how the grid is, also where a clock set back put the next time far off."""
        if self._told is not None and 0 <= now - self._told < TELL_EVERY:
            return
        self._told, self._begun = now, self._begun or int(now)
        self._testbed.beat(int(now))
        away = self._sites.away if self._sites else {}
        self._known = {
            site: known
            if (known := self._known.get(site)) is not None and known.state == state
            else Known(state, int(now))
            for site, state in away.items()
        }
        told = board(int(now), self._known, self._begun)
        answers = {(BOARD, metric): body for metric, body in told.items()}
        answers |= {(SECOND_BOARD, metric): body for metric, body in self._second_board(int(now)).items()}
        answers |= {(CATALOGUE, preset): body for preset, body in names().items()}
        second = second_names(int(now), self._begun)
        answers |= {(SECOND_CATALOGUE, preset): body for preset, body in second.items()}
        worlds = {name: moving.world for name, moving in self._agents.items()}
        answers[STATS, ""] = reports(int(now), worlds)
        self.documents.current = answers
        name = tuple(worlds)[self._turn % len(worlds)]  # one agent's at a time: they are large
        self._turn += 1
        write_ads(self._directory, name, ads(worlds[name].jobs.values()), now)
        write_ads(self._directory, BATCH, odd.ads(), now)  # the same, but not old

    def _second_board(self, now: int) -> Mapping[str, bytes]:
        """Write it once a day: it is as large as an answer can be."""
        day = now // odd.DAY
        if self._disused is None or self._disused[0] != day:
            self._disused = day, second_board(now)
        return self._disused[1]

    def _open(self) -> None:
        """Open and read the databases where that is not done."""
        if not self._agents:
            for agent in AGENTS:
                path = database(self._directory, agent)
                self._agents[agent.name] = _MovingAgent(path, agent, self._seed)

    def _changed_sites(self, seconds: float) -> list[tuple[str, str, str]]:
        """Let the grid go on; what is away at first is what the first agent holds so."""
        if self._sites is None:
            rooms = self._agents[AGENTS[0].name].world.rooms.values()
            away = {room.name: room.state for room in rooms if room.state != "Normal"}
            away = {site: state for site, state in away.items() if site not in STUBBORN_SITES}
            self._sites = SiteStates(dice(self._seed, "grid"), tuple(self._agents), away)
        return self._sites.advance(seconds)
