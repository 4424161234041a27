"""The two clocks: the wall's, which is told and may be set, and one that only runs. Pure, but for `read`."""

import time

from msgspec import Struct, structs

from rcmon.model import Agent, Finding, Forecast, Snapshot
from rcmon.sources.base import Poll

TOLERANCE = 2.0
"""Seconds by which both clocks may come apart between two cycles before the wall's counts as set."""


_TOGETHER = 0.1
"""Seconds within which both clocks are read, unless the machine is too busy even for that."""
_TRIES = 20


class Moment(Struct, frozen=True):
    """One moment by both clocks, seconds."""

    wall: float
    """Since the epoch."""
    running: float
    """Since some moment of its own; nobody sets it."""


def read() -> Moment:
    """Tell what time it is now. A process that had to wait between both clocks reads them again."""
    for _ in range(_TRIES):
        moment = Moment(time.time(), time.monotonic())
        if time.time() - moment.wall < _TOGETHER:
            break
    return moment


def set_by(earlier: Moment, later: Moment) -> float:
    """Tell by how many seconds the wall's clock was set between two moments; 0.0: it was left alone."""
    by = (later.wall - earlier.wall) - (later.running - earlier.running)
    return by if abs(by) > TOLERANCE else 0.0


def shifted(snapshot: Snapshot, by: float) -> Snapshot:
    """Tell a snapshot's polls by a clock that was set by so many seconds since, so that ages stay true."""
    sources = [
        structs.replace(
            state,
            last_success=None if state.last_success is None else state.last_success + by,
            polling_since=None if state.polling_since is None else state.polling_since + by,
        )
        for state in snapshot.sources
    ]
    agents = {name: _shifted_agent(agent, by) for name, agent in snapshot.agents.items()}
    forecasts = {name: _shifted_forecast(forecast, by) for name, forecast in snapshot.forecasts.items()}
    turns = {
        agent: {site: tuple(time + by for time in times) for site, times in sites.items()}
        for agent, sites in snapshot.turns.items()
    }
    return structs.replace(
        snapshot,
        sources=tuple(sources),
        agents=agents,
        forecasts=forecasts,
        findings=tuple(_shifted_finding(finding, by) for finding in snapshot.findings),
        watched=tuple(_shifted_finding(finding, by) for finding in snapshot.watched),
        turns=turns,
    )


def shifted_poll(poll: Poll, by: float) -> Poll:
    """Tell a poll by a clock that was set by so many seconds since it began."""
    batch = poll.batch and structs.replace(
        poll.batch,
        polled_at=poll.batch.polled_at + by,
        agents=tuple(_shifted_agent(agent, by) for agent in poll.batch.agents),
    )
    return structs.replace(poll, started=poll.started + by, batch=batch)


def _shifted_finding(finding: Finding, by: float) -> Finding:
    return structs.replace(
        finding,
        since=None if finding.since is None else finding.since + by,
        last_seen=None if finding.last_seen is None else finding.last_seen + by,
    )


def _shifted_agent(agent: Agent, by: float) -> Agent:
    return structs.replace(agent, polled_at=agent.polled_at + by)


def _shifted_forecast(forecast: Forecast, by: float) -> Forecast:
    awaited = {
        site: {what: structs.replace(wait, since=wait.since + by) for what, wait in waits.items()}
        for site, waits in forecast.awaited.items()
    }
    return structs.replace(forecast, awaited=awaited)
