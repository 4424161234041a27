"""What moves in the testbed: heartbeats, and an agent that nothing is steady in."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from rcmon.demo.odd.agents import ODD_AGENTS, UNSTEADY, WORKERS, OddAgent
from rcmon.demo.odd.sites import LIMITS
from rcmon.demo.schema import connect

AHEAD = "ResourceControlUpdater"
"""The worker whose clock is ahead."""
TURN = 600
"""Seconds from one change of what is unsteady to the next."""
FEW = 1
"""Running slots of its sites while they are down."""


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


def is_off(now: int) -> bool:
    """Tell whether it is the unsteady agent's turn to drain, with its sites down."""
    return now // TURN % 2 == 1


def write_beats(connection: sqlite3.Connection, agent: OddAgent, now: int) -> None:
    """Write a heartbeat of each worker that lives, and what else changes in the agent."""
    connection.executemany(
        "UPDATE wm_workers SET last_updated = ? WHERE name = ?",
        [(now + (agent.ahead if worker == AHEAD else 0), worker) for worker in sorted(WORKERS - agent.dead)],
    )
    if agent is UNSTEADY:
        state, slots = ("Down", FEW) if is_off(now) else ("Normal", LIMITS.site.running)
        connection.execute(
            "UPDATE wmbs_location SET state = s.id, running_slots = ?, state_time = ?"
            " FROM wmbs_location_state s WHERE s.name = ? AND state <> s.id",
            (slots, now - now % TURN, state),
        )
