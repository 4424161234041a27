"""The status document's shapes. Durations and ages in seconds, times ISO 8601."""

from collections.abc import Mapping

from msgspec import Struct

from rcmon.web.api.reasons import Reason


class SourceStatus(Struct, frozen=True):
    """How one source does; `age` is that of its newest data, in seconds."""

    name: str
    kind: str
    up: bool
    last_success: str | None
    age: float | None
    duration: float | None
    error: str | None
    polling_since: str | None = None
    """Begin of the poll that the last cycle did not wait for; null: it ended in time."""


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
    """Whether the store can be read here and written by the collector; `error`: why it cannot."""

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
    failures: int
    """How many in a row ended just after their start; 0: the last did its work."""
    lag: float | None
    """Seconds by which its loop was late lately, at most; null: it does not live."""
    memory: int | None
    """Bytes that are resident; null: not known."""
    open_files: int | None
    """Null: not known."""
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


class OverridesStatus(Struct, frozen=True):
    """How many overrides there are, by how they end."""

    until: int
    latched: int
    toggle: int


class ControlStatus(Struct, frozen=True):
    """How far agents are steered: observe (not at all), advise (documents are served) or control."""

    mode: str
    """Of agents that are not named."""
    agents: Mapping[str, str]
    """By agent."""
    error: str | None
    """Why the newest content of the control file is not in use; null: it is."""


class StreamsStatus(Struct, frozen=True):
    """Streams of events, over all web processes."""

    open: int
    refused: int
    """Since the service began."""
    most: int
    """So many each web process keeps open, at most."""
    most_per_identity: int
    """So many of them for one identity."""


class BoundStatus(Struct, frozen=True):
    """One bound on what clients may take, and how it does."""

    name: str
    limit: int | None
    """So much each web process grants, at most; null: there is none."""
    used: int | None
    """So much of it is taken now, in all web processes; null: it is counted for each client alone."""
    struck: int
    """Times that somebody was refused by it, in all web processes since the service began."""


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
    now: str | None
    """When this was told."""
    timestamp: str | None
    """Begin of the snapshot's cycle, as in every document; null: there is no snapshot yet."""
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
    overrides: OverridesStatus | None
    """Null: there is no snapshot yet, or its collector does not tell."""
    control: ControlStatus
    streams: StreamsStatus
    limits: tuple[BoundStatus, ...]
    replica: str
    """What this replica is called among those that share the store."""
