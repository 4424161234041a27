"""What an operator says of an override, and what is told of overrides."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from msgspec import Meta, Struct

from rcmon.model import (
    OVERRIDE_DAY,
    OVERRIDE_LONGEST,
    Override,
    OverrideChange,
    OverrideMode,
    SteeredState,
)
from rcmon.timestamps import iso, moment
from rcmon.web.about import BASE
from rcmon.web.answers.problems import Problem
from rcmon.web.api.query import NAME

LARGEST = 16 << 10
"""Bytes of one override."""
MOST = 500
"""Places that one change may change."""
LARGEST_BATCH = 1 << 20
MOST_SLOTS = 1_000_000
"""More than the grid has: a slip of the finger."""

_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x08\x0b-\x1f\x7f]*$(?!\n)"
Slots = Annotated[int, Meta(ge=0, le=MOST_SLOTS)]
Name = Annotated[
    str, Meta(pattern=NAME, description="a name of 1 to 256 characters, without control characters")
]
Reason = Annotated[
    str,
    Meta(
        max_length=1000,
        pattern=_TEXT,
        description="a text of 1 to 1000 characters that is not blank, without control characters",
    ),
]
End = Annotated[
    str | float | None,
    Meta(description="a time with its zone such as 2026-01-01T12:00:00Z, or seconds since the epoch"),
]


class OverrideBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator sets at a place, and why."""

    reason: Reason
    state: SteeredState | None = None
    running_slots: Slots | None = None
    pending_slots: Slots | None = None
    mode: OverrideMode = "until"
    until: End = None
    """A time with its zone or seconds since the epoch; null: a day from now."""


class BatchEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One place of a batch."""

    site: Name
    etag: Annotated[str, Meta(description="the etag of an override as it was told")] | None
    """That of the override which was seen there, as `GET /api/overrides` has it; null: there was none."""
    override: OverrideBody | None
    """Null: end it."""
    agent: Name | None = None


class BatchBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed at once."""

    overrides: Annotated[
        tuple[BatchEntry, ...],
        Meta(min_length=1, max_length=MOST, description=f"a list of 1 to {MOST} places"),
    ]


def understood(body: OverrideBody, site: str, agent: str | None, subject: str, now: float) -> Override:
    """Make an override of what was said, without a version. Problem 422 where it cannot be."""
    if body.state is None and body.running_slots is None and body.pending_slots is None:
        raise Problem(
            422, "The body sets nothing: one of 'state', 'running_slots', 'pending_slots' is needed."
        )
    return Override(
        site=site,
        agent=agent,
        state=body.state,
        running=body.running_slots,
        pending=body.pending_slots,
        mode=body.mode,
        until=_end(body, now),
        reason=body.reason,
        subject=subject,
        made=now,
        version=0,
    )


def _end(body: OverrideBody, now: float) -> float | None:
    """Tell when it ends."""
    if body.mode != "until":
        if body.until is not None:
            detail = f"'until' goes with the mode until only, and 'mode' is {body.mode!r}."
            raise Problem(422, detail)
        return None
    if body.until is None:
        return now + OVERRIDE_DAY
    said = str(body.until)
    until = moment(said)
    if until is None or not now < until <= now + OVERRIDE_LONGEST:
        detail = (
            f"'until' is {said[:100]!r}; allowed is a time with its zone, or seconds since the epoch, later"
            " than now and at most 30 days away. What is to last longer has the mode latched."
        )
        raise Problem(422, detail, until=said[:100])
    return until


class UndoBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a change is undone; nothing needs to be said."""

    reason: Reason | None = None


class OverrideShape(Struct, frozen=True):
    """One override, as it is told."""

    site: str
    agent: str | None
    """Null: every agent that has none of its own."""
    state: str | None
    running_slots: int | None
    pending_slots: int | None
    mode: str
    until: str | None
    reason: str
    by: str
    made: str | None
    version: int
    """The number of the change that made it so."""
    etag: str
    """What `If-Match` takes, in quotation marks."""
    address: str
    undo: str


class OverridesDocument(Struct, frozen=True):
    """The overrides that are there."""

    timestamp: str | None
    count: int
    total: int
    next: str | None
    overrides: Sequence[OverrideShape]


class SpotShape(Struct, frozen=True):
    """What a change made of one place; null: none was there, or is."""

    site: str
    agent: str | None
    before: OverrideShape | None
    after: OverrideShape | None


class ChangeShape(Struct, frozen=True):
    """One change, as it is told."""

    number: int | None
    """Null: there was nothing to change."""
    time: str | None
    by: str | None
    """Null: it came by itself."""
    cause: str
    undoes: int | None
    etag: str | None
    undo: str | None
    overrides: Sequence[SpotShape]


def shape(override: Override) -> OverrideShape:
    """Tell of one override."""
    return OverrideShape(
        site=override.site,
        agent=override.agent,
        state=override.state,
        running_slots=override.running,
        pending_slots=override.pending,
        mode=override.mode,
        until=iso(override.until),
        reason=override.reason,
        by=override.subject,
        made=iso(override.made),
        version=override.version,
        etag=override.tag,
        address=address(override),
        undo=_undo(override.version),
    )


def change_shape(change: OverrideChange) -> ChangeShape:
    """Tell of one change."""
    return ChangeShape(
        number=change.number,
        time=iso(change.time),
        by=change.by,
        cause=change.cause,
        undoes=change.undoes,
        etag=change.tag,
        undo=_undo(change.number),
        overrides=[
            SpotShape(one.site, one.agent, _told(one.before), _told(one.after)) for one in change.spots
        ],
    )


def nothing_changed(overrides: Sequence[Override]) -> ChangeShape:
    """Tell that all was as is wanted, by more than one change or by none that is remembered."""
    spots = [SpotShape(one.site, one.agent, shape(one), shape(one)) for one in overrides]
    return ChangeShape(None, None, None, "all was as is wanted", None, None, None, spots)


def _told(override: Override | None) -> OverrideShape | None:
    return None if override is None else shape(override)


def address(override: Override) -> str:
    """Tell where an override is to be read and changed."""
    site = f"sites/{quote(override.site, safe='')}/override"
    if override.agent is None:
        return f"{BASE}/api/{site}"
    return f"{BASE}/api/agents/{quote(override.agent, safe='')}/{site}"


def _undo(number: int) -> str:
    return f"{BASE}/api/overrides/{number}/undo"
