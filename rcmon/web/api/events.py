"""What is asked of the events, and their shapes. Every null is "not known", never zero."""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from rcmon.documents.shapes import FindingShape
from rcmon.web.api.journal import EntryShape
from rcmon.web.api.query import AgentGlob, Many, Query, SiteGlob

MEDIA_TYPE = "text/event-stream"

EventKind = Literal["snapshot", "finding", "journal", "override"]
RowForm = Literal["full", "short", "names"]
PlaceText = Annotated[
    str, Meta(pattern=r"^[0-9.]{0,50}$(?!\n)", description="the id of the last event that was seen")
]


class EventsQuery(Query, frozen=True, kw_only=True):
    """Which events. Lists are alternatives, different parameters must all hold."""

    kind: Many[EventKind] = ()
    site: Many[SiteGlob] = ()
    agent: Many[AgentGlob] = ()
    rows: RowForm = "full"
    """How a snapshot's sites are told: as /api/sites has them, without their agents, or by name alone."""
    last_event_id: PlaceText = ""
    """For clients that cannot send the field Last-Event-ID, which counts where both are given."""


class GridSums(Struct, frozen=True):
    """Sums over all sites, whichever are asked for."""

    sites: int
    agents: int
    findings: int
    running_jobs: int | None
    running_slots: int | None
    pending_jobs: int | None
    pending_slots: int | None


class SnapshotEvent(Struct, frozen=True):
    """What a snapshot changed since another, which need not be the one before."""

    cycle: int
    """Number of the snapshot."""
    timestamp: str | None
    since: int
    """Number of the snapshot that it is compared with."""
    totals: GridSums
    sites: Sequence[Raw]
    """Those with another change than when they were polled, which `agents` tell."""
    gone: Sequence[str]
    """Names of sites that are in no agent any more."""
    agents: Sequence[Raw]
    """As /api/agents has them."""
    agents_gone: Sequence[str]


class NamedSite(Struct, frozen=True):
    """A site that changed."""

    name: str


class FindingEvent(Struct, frozen=True):
    """What became of a finding."""

    change: Literal["raised", "changed", "ended", "acknowledged"]
    """The last also where an acknowledgement was taken back."""
    cycle: int
    finding: FindingShape
    """As it is now; where it ended, as it was last."""


class JournalEvent(Struct, frozen=True):
    """New entries of the journal."""

    entries: Sequence[EntryShape]
    """As /api/journal has them, oldest first."""


class ReloadEvent(Struct, frozen=True):
    """What was missed cannot be told any more: load anew what is shown, and go on from here."""

    cycle: int | None
    """Number of the newest snapshot; null: there is none yet."""
    reason: str
