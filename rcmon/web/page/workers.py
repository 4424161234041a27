"""An agent's components and workers as its page shows them: each against its own interval."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from rcmon.documents.shapes import WorkerShape
from rcmon.timestamps import moment
from rcmon.web.page.overview import span

_ROUNDS = 2.0
"""A heartbeat that is older than so many rounds of a worker is late, though not too old yet."""
_SLACK = 60.0
"""Seconds that it may be late for whatever reason."""


class WorkerRow(Struct, frozen=True):
    """One worker."""

    component: str
    worker: str
    kind: str
    """good; warn: late by its own interval; bad: not well; dim: not known."""
    words: str
    heartbeat: str | None
    age: float | None
    """Of the heartbeat at the agent's poll, seconds; below 0 where the heartbeat is ahead of our clock."""
    used: int | None
    """How much of the time after which it is too old, percent; 100 at most."""
    threshold: float
    interval: float | None
    cycle_time: float | None
    busy: int | None
    """How much of its interval the last round took, percent."""
    pid: int | None
    error: str


def worker_rows(workers: Iterable[WorkerShape], polled: str | None) -> Sequence[WorkerRow]:
    """Show workers, those that are not well first, otherwise by component."""
    at = moment(polled) if polled else None
    rows = [_row(one, at) for one in workers]
    order = {"bad": 0, "warn": 1, "dim": 2, "good": 3}
    return sorted(rows, key=lambda row: (order[row.kind], row.component, row.worker))


def _row(one: WorkerShape, polled: float | None) -> WorkerRow:
    beat = moment(one.last_updated) if one.last_updated else None
    age = None if beat is None or polled is None else polled - beat
    kind, words = _told(one, age)
    return WorkerRow(
        component=one.component,
        worker=one.worker,
        kind=kind,
        words=words,
        heartbeat=one.last_updated,
        age=age,
        used=_percent(age, one.update_threshold),
        threshold=one.update_threshold,
        interval=one.poll_interval,
        cycle_time=one.cycle_time,
        busy=_percent(one.cycle_time, one.poll_interval),
        pid=one.pid,
        error=" · ".join(text for text in (one.outcome, one.error_message) if text),
    )


def _told(one: WorkerShape, age: float | None) -> tuple[str, str]:
    if one.problem is not None:
        return "bad", one.problem
    if age is None:
        return "dim", f"{one.state or 'no state'}, heartbeat not known"
    if one.poll_interval and age > _ROUNDS * one.poll_interval + (one.cycle_time or 0) + _SLACK:
        return "warn", f"late: it should beat every {span(one.poll_interval)}"
    return "good", one.state or "well"


def _percent(part: float | None, whole: float | None) -> int | None:
    if part is None or not whole:
        return None
    return max(0, min(round(100 * part / whole), 100))
