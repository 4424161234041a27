"""What moves in the testbed: heartbeats, one site that flaps, and an agent that drains now and then."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from rcmon.demo.odd.agents import ODD, ODD_AGENTS, WORKERS, OddAgent
from rcmon.demo.schema import connect

AHEAD = "ResourceControlUpdater"
"""The worker whose clock is ahead."""
FLAPPING = "T3_XX_Flapping"
FLAPS_EVERY = 600
"""Seconds from one change to the next."""


class Testbed:
    """The testbed's databases, open for writing: use it from one thread.

    `locate` tells where an agent's is.
    """

    def __init__(self, locate: Callable[[OddAgent], Path]) -> None:
        self._locate = locate
        self._connections: dict[str, sqlite3.Connection] = {}

    def beat(self, now: int) -> None:
        """Write what is due at `now`, seconds since the epoch. Raises sqlite3.Error."""
        for agent in ODD_AGENTS:
            if agent.name not in self._connections:
                self._connections[agent.name] = connect(self._locate(agent))
            write_beats(self._connections[agent.name], agent, now)

    def close(self) -> None:
        """Close the databases; another beat opens them again."""
        while self._connections:
            self._connections.popitem()[1].close()


def is_odd_turn(now: int) -> bool:
    """Tell whether what flaps is in its other state."""
    return now // FLAPS_EVERY % 2 == 1


def write_beats(connection: sqlite3.Connection, agent: OddAgent, now: int) -> None:
    """Write a heartbeat of each worker that lives, and what else changes in the agent."""
    connection.executemany(
        "UPDATE wm_workers SET last_updated = ? WHERE name = ?",
        [(now + (agent.ahead if worker == AHEAD else 0), worker) for worker in sorted(WORKERS - agent.dead)],
    )
    if agent is ODD:
        state = "Draining" if is_odd_turn(now) else "Normal"
        connection.execute(
            "UPDATE wmbs_location SET state = s.id, state_time = ? FROM wmbs_location_state s"
            " WHERE s.name = ? AND site_name = ? AND state <> s.id",
            (now - now % FLAPS_EVERY, state, FLAPPING),
        )
