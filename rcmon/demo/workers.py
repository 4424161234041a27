"""Heartbeats of an agent's workers."""

import sqlite3
from random import Random

from rcmon.demo.agents import DemoAgent

FAILS = 0.003
"""How often a worker's round ends in an error; its next round is well again."""
ERROR = (
    "Error in worker algorithm (1):\nBacktrace:\n"
    '  (1205, "Lock wait timeout exceeded; try restarting transaction")'
)


class Workers:
    """The workers of one agent, each with the time of its next heartbeat (seconds since the epoch)."""

    def __init__(self, rng: Random, connection: sqlite3.Connection, agent: DemoAgent) -> None:
        self._rng = rng
        self._due: dict[str, int] = {}
        self._intervals: dict[str, int] = {}
        for name, beat, interval in connection.execute(
            "SELECT name, last_updated, poll_interval FROM wm_workers ORDER BY name"
        ):
            if name != agent.dead_worker:
                self._intervals[name] = interval
                self._due[name] = beat + interval

    def beat(self, connection: sqlite3.Connection, now: int) -> None:
        """Write the heartbeats that are due, also those that a clock set back put far off.

        Runs inside the caller's transaction.
        """
        for name, due in self._due.items():
            interval = self._intervals[name]
            if now < due <= now + interval:
                continue
            self._due[name] = now + interval
            failed = self._rng.random() < FAILS
            connection.execute(
                "UPDATE wm_workers SET last_updated = ?, cycle_time = ?, state = ?, error_message = ?,"
                " last_error = COALESCE(?, last_error) WHERE name = ?",
                (
                    now,
                    round(self._rng.uniform(0.5, 40), 3),
                    "Error" if failed else "Running",
                    ERROR if failed else None,
                    now if failed else None,
                    name,
                ),
            )
