"""The grid at a past moment, from what the store keeps of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from rcmon.documents.then import Then
from rcmon.errors import StoreError
from rcmon.model import HistoryRow
from rcmon.model.journal import AGENT, SOURCE
from rcmon.rules.then import AgentThen
from rcmon.store import Store
from rcmon.store.past import find_series
from rcmon.store.then import FetchedThen, KeptSince, fetch_then, read_kept, read_last, read_then
from rcmon.timestamps import iso, milliseconds
from rcmon.web.answers.problems import Problem
from rcmon.web.api.times import read_time
from rcmon.web.board import RETRY

_PAST = "a time that is past: with its zone, such as 2026-01-01T12:00:00Z, or in seconds since the epoch"
_GONE = 410


class PastWanted(Struct, frozen=True):
    """Which moment is asked for, and of what."""

    at: str
    site: str | None = None
    """None: every one; likewise the agent."""
    agent: str | None = None
    tasks: bool = True
    """With task types."""


class PastGrid(Struct, frozen=True):
    """What held at a moment; times in seconds since the epoch."""

    time: float
    """The moment: that which was asked for, or the last before it of which it is known."""
    asked: float
    step: int
    """Seconds between the moments of which it is known."""
    complete: bool
    """Whether a later snapshot is stored."""
    rows: Sequence[HistoryRow]
    """By agent and site."""
    agents: Mapping[str, AgentThen]
    """Those that are known to have been there, sorted by name."""
    stale_sources: Sequence[str]

    def by_agent(self) -> dict[str, list[HistoryRow]]:
        """Give each agent's rows."""
        found: dict[str, list[HistoryRow]] = {name: [] for name in self.agents}
        for row in self.rows:
            found[row.agent].append(row)
        return found

    def by_site(self) -> dict[str, list[HistoryRow]]:
        """Give each site's rows, sorted by name."""
        found: dict[str, list[HistoryRow]] = {name: [] for name in sorted({row.site for row in self.rows})}
        for row in self.rows:
            found[row.site].append(row)
        return found

    def told(self, not_kept: Sequence[str]) -> Then:
        """Say of which moment the answer is, and what is not in it."""
        return Then(
            at=iso(self.asked),
            resolution=self.step,
            complete=self.complete,
            changed=iso(max((row.time for row in self.rows), default=None)),
            stale_sources=self.stale_sources,
            not_kept=not_kept,
        )


async def read_grid_then(
    store: Store, asked: PastWanted, newest: float, clock: Callable[[], float]
) -> PastGrid:
    """Read what held at a moment. `newest`: begin of the newest snapshot. Raises Problem 400, 410 or 503."""
    at = _read_at(asked.at, max(clock(), newest))

    def fetched(connection: Connection) -> tuple[int, FetchedThen, Mapping[str, Any], Mapping[str, Any]]:
        time, kept = min(at, newest), read_kept(connection)
        step = kept.step(time)
        time = time // step * step if step else time
        if kept.since is None or time < kept.since:
            raise _gone(asked.at, kept, newest)
        held = fetch_then(
            connection, find_series(connection, asked.site, asked.agent), time, tasks=asked.tasks
        )
        agents, sources = (read_last(connection, kind.name, time) for kind in (AGENT, SOURCE))
        return step, held, agents, sources

    try:
        step, found, agents, sources = await store.ask(fetched)
        rows = await read_then(store, found)
    except StoreError as error:
        detail = f"The history cannot be read just now: {error}"
        raise Problem(503, detail, fields=RETRY) from error
    return PastGrid(
        time=found.time,
        asked=at,
        step=step,
        complete=milliseconds(at) <= milliseconds(newest),
        rows=rows,
        agents=_agents(agents, rows),
        stale_sources=sorted(name for name, value in sources.items() if value and value.get("stale")),
    )


def _agents(told: Mapping[str, Any], rows: Sequence[HistoryRow]) -> dict[str, AgentThen]:
    """Take the agents that were there: as the journal says, or since a site of theirs was."""
    there = {name for name, value in told.items() if value is not None} | {row.agent for row in rows}
    return {name: msgspec.convert(told.get(name) or {}, AgentThen) for name in sorted(there)}


def _read_at(text: str, latest: float) -> float:
    at = read_time("at", text) or 0.0
    if milliseconds(at) > milliseconds(latest):
        detail = f"Parameter 'at' has the value {text!r}, which is yet to come; allowed is {_PAST}."
        raise Problem(400, detail, parameter="at", value=text, allowed=_PAST)
    return at


def _gone(text: str, kept: KeptSince, newest: float) -> Problem:
    since, until = iso(kept.since), iso(newest)
    held = "nothing yet" if kept.since is None else f"kept is what held from {since} to {until}"
    detail = f"What held at {text} is not kept: {held}."
    return Problem(_GONE, detail, parameter="at", value=text, since=since, until=until)
