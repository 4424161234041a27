"""How the service does: the status document, and the reasons behind it."""

import time
from collections.abc import Callable, Sequence

import msgspec

from rcmon.access.authority.crl import CrlStatus
from rcmon.access.trust import Trust
from rcmon.documents.shapes import Facts
from rcmon.files.follower import Follower
from rcmon.model import Override, SourceState
from rcmon.process.scoreboard import Scoreboard
from rcmon.process.slot import Slot
from rcmon.process.trouble import Trouble
from rcmon.steering import ControlSettings, follow_control
from rcmon.timestamps import iso, seconds
from rcmon.web.about import PYTHON_VERSION, About
from rcmon.web.answers.cached import Cached
from rcmon.web.answers.ready import Fresh, Ready
from rcmon.web.api.diagnosis import Evidence, age, diagnose
from rcmon.web.api.reasons import Reason, level_of
from rcmon.web.api.status_shapes import (
    BoundStatus,
    ControlStatus,
    EndingStatus,
    ListStatus,
    NoteStatus,
    OverridesStatus,
    ProcessStatus,
    SnapshotStatus,
    SourceStatus,
    Status,
    StoreStatus,
    StreamsStatus,
)
from rcmon.web.board import Board


class StatusReport:
    """Makes the status document, at most ten times a second."""

    def __init__(
        self,
        about: About,
        board: Board,
        scoreboard: Scoreboard,
        trust: Trust,
        clock: Callable[[], float] = time.time,
        *,
        streams: Callable[[], StreamsStatus],
        bounds: Callable[[], tuple[BoundStatus, ...]],
        control: Follower[ControlSettings] | None = None,
    ) -> None:
        self._control = control or follow_control(None)
        self._about, self._board, self._scoreboard, self._trust = about, board, scoreboard, trust
        self._clock, self._streams, self._bounds = clock, streams, bounds
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
        held = self._board.current
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
            now=iso(now),
            timestamp=iso(facts.started) if facts else None,
            python_version=PYTHON_VERSION,
            last_cycle_start=iso(facts.started) if facts else None,
            last_cycle_duration=seconds(facts.duration) if facts else None,
            cycle_interval=round(evidence.interval, 3),
            snapshot=_snapshot(held.number, held.facts, now) if held else None,
            sources=tuple(_source(source, now, facts.interval) for source in facts.sources) if facts else (),
            workers=sum(self._scoreboard.slot(index).pid is not None for index in self._about.web_slots),
            processes=tuple(_process(name, slot) for name, slot in evidence.processes.items()),
            store=self._store(store_trouble(self._board, evidence.troubles)),
            crls=tuple(_list(crl, now) for crl in evidence.crls),
            overrides=_overrides(facts.overrides) if facts else None,
            control=self._control_status(facts),
            streams=self._streams(),
            limits=self._bounds(),
            replica=self._about.replica,
        )

    def _control_status(self, facts: Facts | None) -> ControlStatus:
        settings = self._control.value
        names = sorted({*settings.agents, *(facts.agents if facts else ())})
        modes = {name: settings.mode_of(name) for name in names}
        return ControlStatus(settings.mode, modes, self._control.reloads.reason)

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

    def _store(self, error: str | None) -> StoreStatus:
        notes = tuple(NoteStatus(iso(note.time), note.kind, note.text) for note in self._board.notes)
        return StoreStatus(self._about.store_kind, error is None, error, notes)


def store_trouble(board: Board, troubles: Sequence[Trouble]) -> str | None:
    """Tell why the store cannot be read here, or written by the process that says so; None: it can."""
    said = (trouble.reason for trouble in troubles if trouble.what == "store")
    return board.trouble or next(said, None)


def _process(name: str, slot: Slot) -> ProcessStatus:
    ending = slot.last_ending
    last = EndingStatus(iso(ending.at), ending.how, ending.trouble) if ending else None
    return ProcessStatus(
        name=name,
        up=slot.pid is not None,
        since=iso(slot.started),
        restarts=slot.restarts,
        failures=slot.failures,
        lag=seconds(slot.loop_lag),
        memory=slot.resident_memory_bytes,
        open_files=slot.open_fds,
        last_ending=last,
    )


def _snapshot(number: int, facts: Facts, now: float) -> SnapshotStatus:
    return SnapshotStatus(number, age(facts.started, now, facts.interval), len(facts.agents), facts.findings)


def _overrides(overrides: Sequence[Override] | None) -> OverridesStatus | None:
    if overrides is None:
        return None
    modes = [one.mode for one in overrides]
    return OverridesStatus(modes.count("until"), modes.count("latched"), modes.count("toggle"))


def _source(source: SourceState, now: float, interval: float) -> SourceStatus:
    return SourceStatus(
        name=source.name,
        kind=source.kind,
        up=source.up,
        last_success=iso(source.last_success),
        age=age(source.last_success, now, interval),
        duration=seconds(source.duration),
        error=source.error,
        polling_since=iso(source.polling_since),
    )


def _list(crl: CrlStatus, now: float) -> ListStatus:
    return ListStatus(crl.file, crl.issuer, age(crl.this_update, now, 0.0), iso(crl.next_update), crl.error)
