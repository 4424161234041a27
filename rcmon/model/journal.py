"""The journal: what changed, when, from what to what, and by whom. Pure.

An entry is about one subject (`Subject`). What holds of a subject is a value, a flat or nested JSON object,
or None where it is not there. The journal replayed from nothing gives what holds (`replay`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

Value: TypeAlias = Mapping[str, Any] | None
"""A JSON object, or None: the subject is not there."""


class JournalKind(Struct, frozen=True):
    """One kind of entry."""

    name: str
    meaning: str
    """What changed, in one sentence with the members of `old` and `new`."""


SITE = JournalKind(
    "site",
    "A site came to an agent, or left it: `state`, `running_slots`, `pending_slots`, and `thresholds` by task"
    " type (`max_slots`, `pending_slots`).",
)
STATE = JournalKind("state", "The `state` of a site in an agent.")
SLOTS = JournalKind("slots", "The `running_slots` and `pending_slots` of a site in an agent.")
THRESHOLD = JournalKind(
    "threshold", "The `max_slots` and `pending_slots` of a task type at a site in an agent."
)
AGENT = JournalKind("agent", "An agent's `version`, `drain` mode and `down_components`; null: it is gone.")
SOURCE = JournalKind("source", "Whether a source is `up`, and whether what is shown of it is `stale`.")
ROLES = JournalKind(
    "roles",
    "What is in use of the roles file, `entries` with a `digest` of all, and whether its newest content was"
    " `taken_up`; `reason` says why not.",
)
ACKNOWLEDGEMENT = JournalKind(
    "acknowledgement", "A finding was acknowledged `until` a time for a `reason`, or that was ended."
)
OVERRIDE = JournalKind(
    "override",
    "What an operator set at a site, in one agent or in all: `state`, `running_slots`, `pending_slots`,"
    " `mode`, `until`, `reason`, and the `version` by which it can be undone; null: nothing.",
)
QUARANTINE = JournalKind(
    "quarantine",
    "What upstream says and the guard does not let pass: `cause`, `message`, `sites`, and what was decided"
    " (`decision`); null: it ended.",
)
EFFECTIVE = JournalKind(
    "effective",
    "What is effective of what upstream says of a site: `status`, `cpu`, `io`, before overrides and shares.",
)
WEIGHT = JournalKind(
    "weight", "An agent's `weight` in its team's share, at a site or at all; null: as configured."
)

OF_CYCLES: tuple[JournalKind, ...] = (SITE, STATE, SLOTS, THRESHOLD, AGENT, SOURCE)
"""What two snapshots differ in; the other kinds are of what people or the guard do."""
JOURNAL_KINDS: tuple[JournalKind, ...] = (
    SITE,
    STATE,
    SLOTS,
    THRESHOLD,
    AGENT,
    SOURCE,
    ROLES,
    ACKNOWLEDGEMENT,
    OVERRIDE,
    QUARANTINE,
    EFFECTIVE,
    WEIGHT,
)
"""Every kind of entry there is."""


class JournalEntry(Struct, frozen=True):
    """One change."""

    time: float
    """When it was seen or done: of what a cycle saw, the cycle's begin. Seconds since the epoch."""
    kind: str
    """Name of one of JOURNAL_KINDS."""
    old: Value
    new: Value
    agent: str | None = None
    site: str | None = None
    task: str | None = None
    subject: str | None = None
    """What it is about where that is none of these: a source, a file, a finding."""
    cause: str | None = None
    """Where it is known from, or why it changed, in a few words."""
    by: str | None = None
    """Subject of the certificate of who did it; None: nobody did it through this service."""


Subject: TypeAlias = tuple[str, str | None, str | None, str | None, str | None]
"""Kind, agent, site, task, and what else it is."""


def replay(entries: Iterable[JournalEntry]) -> dict[Subject, Any]:
    """Tell what holds after entries, oldest first: of each subject that is there, its value.

    State, slots and thresholds hold within their site's.
    """
    held: dict[Subject, Any] = {}
    for entry in entries:
        if entry.kind in (STATE.name, SLOTS.name, THRESHOLD.name):
            _amend(held, entry)
        else:
            key = (entry.kind, entry.agent, entry.site, entry.task, entry.subject)
            held[key] = entry.new
            if entry.new is None:
                del held[key]
    return held


def _amend(held: dict[Subject, Any], entry: JournalEntry) -> None:
    """Take a part of a site's value on."""
    key = (SITE.name, entry.agent, entry.site, None, None)
    value = dict(held.get(key, {"thresholds": {}}))  # its beginning may have been forgotten
    if entry.kind == THRESHOLD.name:
        thresholds = dict(value["thresholds"])
        thresholds[entry.task] = entry.new
        if entry.new is None:
            del thresholds[entry.task]
        value["thresholds"] = thresholds
    else:
        value |= entry.new or {}
    held[key] = value
