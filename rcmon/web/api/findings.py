"""Which findings a query selects, and who acknowledged them."""

import fnmatch
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from rcmon.documents import keys
from rcmon.documents.shapes import AcknowledgementShape, FindingsDocument, FindingShape
from rcmon.errors import StoreBusyError, StoreError
from rcmon.store import Store
from rcmon.store.acknowledgements import (
    Acknowledgement,
    end_acknowledgement,
    keep_acknowledgement,
    read_acknowledgements,
)
from rcmon.timestamps import iso, moment
from rcmon.web.answers.problems import Problem
from rcmon.web.api.content import read_json
from rcmon.web.api.cursor import Cursor
from rcmon.web.api.documents import read_document
from rcmon.web.api.override_body import End
from rcmon.web.api.query import AgentGlob, Many, Moment, Query, SiteGlob
from rcmon.web.board import Held
from rcmon.web.transport.request import Request

DAY = 86400.0
LONGEST = 30 * DAY
"""Seconds that an acknowledgement may last."""
LARGEST = 16 << 10
"""Bytes of an acknowledgement."""
FRESH = 0.5
"""Seconds for which what was read of the store is told."""
MOST = 10_000

KindGlob = Annotated[str, Meta(pattern=r"^[a-z0-9_*?]{1,100}$(?!\n)", description="kinds, such as ssb_*")]


class FindingsSelection(Query, frozen=True, kw_only=True):
    """Which findings. Lists are alternatives, different parameters must all hold."""

    kind: Many[KindGlob] = ()
    severity: Many[Literal["critical", "warning", "info"]] = ()
    site: Many[SiteGlob] = ()
    agent: Many[AgentGlob] = ()
    since: Moment = ""
    """Those that were first found at this time or later."""
    acknowledged: Literal["any", "yes", "no"] = "any"
    limit: Annotated[int, Meta(ge=1, le=MOST)] = MOST
    cursor: Cursor = ""


class FindingsQuery(FindingsSelection, frozen=True, kw_only=True):
    """What is asked of the findings."""

    pretty: bool = False


class AcknowledgementBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator says."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000, description="a text of 1 to 1000 characters")]
    until: End = None
    """A time with its zone or seconds since the epoch; null: a day from now."""


class Acknowledgements:
    """Who acknowledged what, as the store holds it; read again where it is older than FRESH."""

    def __init__(
        self, store: Store, clock: Callable[[], float], running: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._clock, self._running = store, clock, running
        self._held: tuple[Acknowledgement, ...] = ()
        self._read_at: float | None = None

    async def in_force(self) -> Mapping[str, Acknowledgement]:
        """Give those that hold now, by finding; where the store cannot be read, as they were known last.

        One whose end is farther away than any may last was made before the clock was set back.
        """
        if self._read_at is None or self._running() - self._read_at >= FRESH:
            try:
                async with self._store.reading() as connection:
                    self._held = await read_acknowledgements(connection)
            except StoreError:
                pass  # the board tells of the store's trouble
            self._read_at = self._running()
        now = self._clock()
        return {one.finding: one for one in self._held if 0 < one.until - now <= LONGEST + DAY}

    async def acknowledge(self, finding: str, request: Request) -> None:
        """Keep what an operator says; when this ends it is there for good.

        Problem 400 or 422 where it is none, 415 where it is said to be something else, 503 where the store
        does not take it now.
        """
        said = read_json(request.headers, request.body, LARGEST, AcknowledgementBody, "acknowledgement")
        now = self._clock()
        until = _end(said.until, now)
        made = Acknowledgement(finding, now, until, str(request.peer.identity.subject), said.reason)
        try:
            async with self._store.adding() as connection:
                await keep_acknowledgement(connection, made)
        except StoreError as error:
            raise _unavailable(error) from error
        self._read_at = None

    async def end(self, finding: str, request: Request) -> bool:
        """End an acknowledgement for good; tells whether there was one. Problem 503 likewise."""
        by = str(request.peer.identity.subject)
        try:
            async with self._store.adding() as connection:
                ended = await end_acknowledgement(connection, finding, self._clock(), by)
        except StoreError as error:
            raise _unavailable(error) from error
        self._read_at = None
        return ended


def _end(said: str | float | None, now: float) -> float:
    """Tell when an acknowledgement ends. Problem 422 where that is no time, over, or too far away."""
    if said is None:
        return now + DAY
    until = moment(str(said))
    if until is None or not now < until <= now + LONGEST:
        detail = (
            f"'until' is {str(said)[:100]!r}; allowed is a time with its zone, or seconds since the epoch,"
            " later than now and at most 30 days away."
        )
        raise Problem(422, detail, until=str(said)[:100])
    return until


def _unavailable(error: StoreError) -> Problem:
    seconds = "1" if isinstance(error, StoreBusyError) else "5"
    detail = f"The acknowledgement is not changed: {error}"
    return Problem(503, detail, fields=(("Retry-After", seconds),))


def listed(held: Held) -> Sequence[FindingShape]:
    """Read the findings of a snapshot. Problem 503 where they are of a form that is not known here."""
    return read_document(held, keys.FINDINGS, FindingsDocument).findings


def joined(
    findings: Iterable[FindingShape], acknowledged: Mapping[str, Acknowledgement]
) -> list[FindingShape]:
    """Say of each finding who acknowledged it."""
    return [
        structs.replace(one, acknowledgement=_shape(acknowledged[one.id])) if one.id in acknowledged else one
        for one in findings
    ]


def _shape(made: Acknowledgement) -> AcknowledgementShape:
    return AcknowledgementShape(made.subject, iso(made.made), iso(made.until), made.reason)


def choose(
    findings: Iterable[FindingShape], wanted: FindingsSelection, flags: re.RegexFlag = re.NOFLAG
) -> list[FindingShape]:
    """Pick the findings that a query wants; `flags` are for names. Problem 400 for a time that is none."""
    kind = _pattern(wanted.kind)
    site, agent = _pattern(wanted.site, flags), _pattern(wanted.agent, flags)
    since = _since(wanted.since)
    return [
        one
        for one in findings
        if (not wanted.kind or kind(one.kind))
        and (not wanted.severity or one.severity in wanted.severity)
        and (not wanted.site or (one.site is not None and site(one.site)))
        and (not wanted.agent or (one.agent is not None and agent(one.agent)))
        and (since is None or (one.since is not None and (moment(one.since) or 0.0) >= since))
        and (wanted.acknowledged == "any" or (wanted.acknowledged == "yes") == bool(one.acknowledgement))
    ]


def _pattern(globs: Sequence[str], flags: re.RegexFlag = re.NOFLAG) -> Callable[[str], object]:
    return re.compile("|".join(map(fnmatch.translate, globs)), flags).match


def _since(text: str) -> float | None:
    since = moment(text) if text else None
    if text and since is None:
        allowed = "a time with its zone such as 2026-01-01T12:00:00Z, or seconds since the epoch"
        detail = f"Parameter 'since' has the value {text!r}; allowed is {allowed}."
        raise Problem(400, detail, parameter="since", value=text, allowed=allowed)
    return since


def behind(findings: Sequence[FindingShape], cursor: str) -> Sequence[FindingShape]:
    """Give what follows the finding that a cursor names; Problem 400 where it is not listed any more."""
    if not cursor:
        return findings
    for number, one in enumerate(findings):
        if one.id == cursor:
            return findings[number + 1 :]
    detail = "Parameter 'cursor' names no finding that is listed now; begin again without it."
    raise Problem(400, detail, parameter="cursor", value=cursor[:200])
