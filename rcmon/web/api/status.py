"""How the service does: the status document, and the reasons behind it."""

import time
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from rcmon.access.authority.crl import CrlStatus
from rcmon.documents.shapes import Facts
from rcmon.model import SourceState
from rcmon.process.scoreboard import Scoreboard
from rcmon.process.slot import Slot
from rcmon.timestamps import iso
from rcmon.web.about import PYTHON_VERSION, About, Trust
from rcmon.web.answers.cached import Cached
from rcmon.web.answers.ready import Fresh, Ready
from rcmon.web.api.diagnosis import Evidence, age, diagnose, known_age
from rcmon.web.api.reasons import Reason, level_of
from rcmon.web.board import Board


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
    """The snapshot that is served; `age` in seconds since its cycle began, null where no clock tells."""

    id: int
    age: float | None
    agents: int
    findings: int


class NoteStatus(Struct, frozen=True):
    """Something that happened to the store: `made` afresh, or its damaged file `set_aside`."""

    time: str | None
    kind: str
    text: str


class StoreStatus(Struct, frozen=True):
    """The store as this process sees it; `error`: why it could not be read just now."""

    kind: str
    up: bool
    error: str | None
    notes: tuple[NoteStatus, ...]
    """What happened to it, oldest first."""


class EndingStatus(Struct, frozen=True):
    """How a process ended."""

    time: str | None
    how: str
    trouble: str | None
    """The last that it said was wrong with it."""


class ProcessStatus(Struct, frozen=True):
    """One process of the service."""

    name: str
    up: bool
    since: str | None
    """When it was started."""
    restarts: int
    """How many were started in place of a dead one."""
    last_ending: EndingStatus | None
    """How the one before ended."""


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
    """Why it is not healthy, in words."""
    causes: tuple[Reason, ...]
    """The same with a name each, the worst first."""
    started: str | None
    """When the service began."""
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
    processes: tuple[ProcessStatus, ...]
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
        evidence = self._evidence(facts, now)
        causes = diagnose(evidence)
        return Status(
            name=self._about.name,
            version=self._about.version,
            status=level_of(causes),
            reasons=tuple(cause.reason for cause in causes),
            causes=causes,
            started=iso(self._scoreboard.started),
            uptime=round(self._scoreboard.uptime, 3),
            timestamp=iso(now),
            python_version=PYTHON_VERSION,
            last_cycle_start=iso(facts.started) if facts else None,
            last_cycle_duration=facts.duration if facts else None,
            cycle_interval=evidence.interval,
            snapshot=_snapshot(held.number, held.facts, now) if held else None,
            sources=tuple(_source(source, now) for source in facts.sources) if facts else (),
            workers=sum(self._scoreboard.slot(index).pid is not None for index in self._about.web_slots),
            processes=tuple(_process(name, slot) for name, slot in evidence.processes.items()),
            store=StoreStatus(self._about.store_kind, trouble is None, trouble, self._notes()),
            crls=tuple(_list(crl, now) for crl in evidence.crls),
        )

    def causes(self) -> Sequence[Reason]:
        """Tell why it is not healthy, the worst first."""
        held = self._board.current
        return diagnose(self._evidence(held.facts if held else None, self._clock()))

    def _evidence(self, facts: Facts | None, now: float) -> Evidence:
        return Evidence(
            now=now,
            facts=facts,
            interval=facts.interval if facts else self._about.cycle_interval,
            store_error=self._board.trouble,
            processes=dict(zip(self._about.processes, self._scoreboard.slots, strict=True)),
            troubles=self._scoreboard.troubles(),
            crls=tuple(self._trust.crls()),
            certificate_until=self._trust.certificate_not_after(),
        )

    def _notes(self) -> tuple[NoteStatus, ...]:
        return tuple(NoteStatus(iso(note.time), note.kind, note.text) for note in self._board.notes)


def _process(name: str, slot: Slot) -> ProcessStatus:
    ending = slot.last_ending
    last = EndingStatus(iso(ending.at), ending.how, ending.trouble) if ending else None
    return ProcessStatus(name, slot.pid is not None, iso(slot.started), slot.restarts, last)


def _snapshot(number: int, facts: Facts, now: float) -> SnapshotStatus:
    return SnapshotStatus(
        number, known_age(facts.started, now, facts.interval), len(facts.agents), facts.findings
    )


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
