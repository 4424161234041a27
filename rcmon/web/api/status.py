"""How the service does: the status document, and the reasons behind it."""

import time
from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

from rcmon.access.authority.crl import CrlStatus
from rcmon.documents.shapes import Facts
from rcmon.model import SourceState
from rcmon.process.scoreboard import Scoreboard
from rcmon.timestamps import iso
from rcmon.web.about import PYTHON_VERSION, About, Trust
from rcmon.web.answers.cached import Cached
from rcmon.web.answers.ready import Fresh, Ready
from rcmon.web.board import Board

LATE = 2
"""Intervals after which the next snapshot is late: one to begin it, one more that it may take."""
TOO_OLD = 5
"""Intervals after which a snapshot says nothing about now."""


class SourceStatus(Struct, frozen=True):
    """How one source does; `age` is that of its newest data, in seconds."""

    name: str
    kind: str
    up: bool
    last_success: str | None
    age: float | None
    duration: float | None
    error: str | None


class SnapshotStatus(Struct, frozen=True):
    """The snapshot that is served; `age` in seconds since its cycle began."""

    id: int
    age: float
    agents: int
    findings: int


class StoreStatus(Struct, frozen=True):
    """The store as this process sees it; `error`: why it could not be read just now."""

    kind: str
    up: bool
    error: str | None


class ListStatus(Struct, frozen=True):
    """One certificate revocation list; `age` in seconds since it was issued."""

    file: str
    issuer: str | None
    age: float | None
    next_update: str | None
    error: str | None
    """What is wrong with the file's newest content; an earlier one stays in use."""


class Status(Struct, frozen=True):
    """The status document. Durations and ages in seconds, times ISO 8601."""

    name: str
    version: str
    status: str
    """healthy, degraded or unhealthy."""
    reasons: tuple[str, ...]
    """Why it is not healthy."""
    uptime: float
    timestamp: str | None
    python_version: str
    last_cycle_start: str | None
    last_cycle_duration: float | None
    cycle_interval: float
    snapshot: SnapshotStatus | None
    sources: tuple[SourceStatus, ...]
    workers: int
    """Web processes that live."""
    store: StoreStatus
    crls: tuple[ListStatus, ...]


class StatusReport:
    """Makes the status document, at most ten times a second."""

    def __init__(
        self,
        about: About,
        board: Board,
        scoreboard: Scoreboard,
        trust: Trust,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._about, self._board, self._scoreboard, self._trust = about, board, scoreboard, trust
        self._clock = clock
        self._encoder = msgspec.json.Encoder()
        self._ready = Cached(self._render)

    def ready(self) -> Ready:
        """Give the document, ready to send."""
        return self._ready.get((self._board.current, self._board.trouble))

    def _render(self) -> Ready:
        return Ready(Fresh(self._encoder.encode(self.now()) + b"\n"), "application/json")

    def now(self) -> Status:
        """Tell how the service does."""
        now = self._clock()
        held, trouble = self._board.current, self._board.trouble
        facts = held.facts if held else None
        lives = sum(self._scoreboard.slot(index).pid is not None for index in self._about.web_slots)
        bad = tuple(unhealthy(facts, now))
        poor = tuple(degraded(facts, now, trouble, lives, len(self._about.web_slots)))
        return Status(
            name=self._about.name,
            version=self._about.version,
            status="unhealthy" if bad else "degraded" if poor else "healthy",
            reasons=bad + poor,
            uptime=round(max(now - self._scoreboard.started, 0.0), 3),
            timestamp=iso(now),
            python_version=PYTHON_VERSION,
            last_cycle_start=iso(facts.started) if facts else None,
            last_cycle_duration=facts.duration if facts else None,
            cycle_interval=facts.interval if facts else self._about.cycle_interval,
            snapshot=_snapshot(held.number, held.facts, now) if held else None,
            sources=tuple(_source(source, now) for source in facts.sources) if facts else (),
            workers=lives,
            store=StoreStatus(self._about.store_kind, trouble is None, trouble),
            crls=tuple(_list(crl, now) for crl in self._trust.crls()),
        )


def age(since: float, now: float) -> float:
    """Count the seconds since a time; clocks that differ make no negative age."""
    return round(max(now - since, 0.0), 3)


def unhealthy(facts: Facts | None, now: float) -> Iterator[str]:
    """Say why what is served says nothing about now."""
    if facts is None:
        yield "there is no snapshot yet"
    elif now - facts.started > TOO_OLD * facts.interval:
        yield (
            f"the snapshot is {now - facts.started:.0f} s old, "
            f"more than {TOO_OLD} cycle intervals of {facts.interval:g} s"
        )


def degraded(
    facts: Facts | None, now: float, trouble: str | None, lives: int, processes: int
) -> Iterator[str]:
    """Say what is not as it should be, although there is something to serve."""
    if trouble is not None:
        yield f"the store cannot be read: {trouble}"
    if lives < processes:
        yield f"{lives} of {processes} web processes are running"
    if facts is None:
        return
    if LATE * facts.interval < now - facts.started <= TOO_OLD * facts.interval:
        yield (
            f"the cycle is late: the last one began {now - facts.started:.0f} s ago, "
            f"the interval is {facts.interval:g} s"
        )
    for source in facts.sources:
        yield from _ailing(source, now)


def _ailing(source: SourceState, now: float) -> Iterator[str]:
    if not source.up:
        yield f"source {source.name} is down: {source.error or 'no poll yet'}"
    if source.stale:
        known = "" if source.last_success is None else f", {age(source.last_success, now):.0f} s old"
        yield f"the data of source {source.name} is stale{known}"


def _snapshot(number: int, facts: Facts, now: float) -> SnapshotStatus:
    return SnapshotStatus(number, age(facts.started, now), len(facts.agents), facts.findings)


def _source(source: SourceState, now: float) -> SourceStatus:
    return SourceStatus(
        name=source.name,
        kind=source.kind,
        up=source.up,
        last_success=iso(source.last_success),
        age=None if source.last_success is None else age(source.last_success, now),
        duration=source.duration,
        error=source.error,
    )


def _list(crl: CrlStatus, now: float) -> ListStatus:
    known = None if crl.this_update is None else age(crl.this_update, now)
    return ListStatus(crl.file, crl.issuer, known, iso(crl.next_update), crl.error)
