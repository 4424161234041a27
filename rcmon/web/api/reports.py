"""Reports that agents push: taken into the store, and told from there."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import msgspec
from msgspec import Raw, Struct

from rcmon.errors import StoreBusyError, StoreError
from rcmon.model import REPORT_STALE_AFTER
from rcmon.model.freshness import AHEAD
from rcmon.reports import AGENT_INFO, SUBMIT_REPORT, NotJson, NotReport, understand
from rcmon.store import Store
from rcmon.store.reports import (
    PackedReport,
    ReportHead,
    keep_report,
    pack_report,
    read_reports,
    unpack_report,
)
from rcmon.timestamps import iso
from rcmon.web.answers.answer import Streamed
from rcmon.web.answers.headers import Field
from rcmon.web.answers.problems import Problem
from rcmon.web.api.content import check_json, content_of
from rcmon.web.transport.request import Request

LARGEST = 4 << 20
"""Bytes of a report, inflated."""
_PIECE = 32 * 1024
_SOON: tuple[Field, ...] = (("Retry-After", "1"),)
_LATER: tuple[Field, ...] = (("Retry-After", "5"),)


class PushedShape(Struct, frozen=True):
    """What an agent pushed last of one kind."""

    time: str | None
    """When it was written, as it says; where it does not say, when it was pushed."""
    received: str | None
    """When it was pushed; what is pushed again as it was keeps the time of the first."""
    by: str
    """The subject of the certificate that pushed it."""
    age: float
    """Seconds since `time`; below 0 where the agent's clock is ahead."""
    stale: bool
    """Whether it is too old to say anything about now."""
    document: Raw


class ReportsShape(Struct, frozen=True):
    """What an agent pushed last; null where nothing of that kind is held."""

    agent: str
    agent_info: PushedShape | None = None
    submit_report: PushedShape | None = None


class Reports:
    """Takes and tells pushed reports; one large document at a time is in the making."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._turn = asyncio.Semaphore(1)

    async def take(self, agent: str, request: Request) -> None:
        """Keep what was pushed; when this ends it is there for good.

        Problem 400 or 422 where it is no report, 409 where a newer one is held, 413 where it is too large,
        415 where it is said to be something else, 503 where the store does not take it now.
        """
        check_json(request.headers)
        now = self._clock()
        async with self._turn:
            packed = await asyncio.to_thread(_read, agent, request, now)
        try:
            async with self._store.adding() as connection:
                newer = await keep_report(connection, packed, now + AHEAD)
        except StoreError as error:
            fields = _SOON if isinstance(error, StoreBusyError) else _LATER
            raise Problem(503, f"The report is not kept: {error}", fields=fields) from error
        if newer is not None:
            raise _older(packed.head, newer)

    async def tell(self, agent: str, *, pretty: bool) -> Streamed:
        """Tell what an agent pushed last. Problem 404 where that is nothing, 503 where it cannot be read."""
        try:
            async with self._store.reading() as connection:
                held = await read_reports(connection, agent)
            if not held:
                raise Problem(404, f"Agent {agent!r} has pushed no report.", agent=agent)
            now = self._clock()
            async with self._turn:
                text = await asyncio.to_thread(_write, agent, held, now, pretty=pretty)
        except StoreError as error:
            detail = f"The report cannot be read just now: {error}"
            raise Problem(503, detail, fields=_LATER) from error
        return Streamed(_pieces(text), "application/json", hashlib.sha256(text).hexdigest()[:20])


def _read(agent: str, request: Request, now: float) -> PackedReport:
    """Make out what was pushed."""
    content = content_of(request.headers, request.body, LARGEST)
    try:
        understood = understand(content, now)
    except NotJson as error:
        raise Problem(400, f"The body cannot be read: {error}.") from error
    except NotReport as error:
        raise Problem(422, f"The body is not a report: {error}.") from error
    subject = str(request.peer.identity.subject)
    time = understood.report.time
    return pack_report(agent, understood.kind, content, time=time, received=now, subject=subject)


def _older(pushed: ReportHead, held: ReportHead) -> Problem:
    detail = (
        f"This report is of {iso(pushed.time)}; a newer one, of {iso(held.time)}, is held and stays."
        " Push what is newer."
    )
    return Problem(409, detail, time=iso(pushed.time), held=iso(held.time))


def _write(agent: str, held: Sequence[PackedReport], now: float, *, pretty: bool) -> bytes:
    pushed: Mapping[str, PushedShape] = {one.head.kind: _shape(one, now) for one in held}
    text = msgspec.json.encode(ReportsShape(agent, pushed.get(AGENT_INFO), pushed.get(SUBMIT_REPORT)))
    return (msgspec.json.format(text, indent=2) if pretty else text) + b"\n"


def _shape(report: PackedReport, now: float) -> PushedShape:
    head = report.head
    return PushedShape(
        time=iso(head.time),
        received=iso(head.received),
        by=head.subject,
        age=round(now - head.time, 3),
        stale=now - head.time > REPORT_STALE_AFTER,
        document=Raw(unpack_report(report)),
    )


async def _pieces(text: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]
