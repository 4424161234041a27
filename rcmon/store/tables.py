"""The tables as the statements see them; `versions` makes them, and a test holds both alike."""

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

SNAPSHOT = Table(
    "snapshot",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("started", Double, nullable=False),
    Column("finished", Double, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("format", BigInteger, nullable=False, server_default="1"),
    comment="The last few snapshots; document: MessagePack of Snapshot, zlib; format: of its documents",
)

DOCUMENT = Table(
    "document",
    METADATA,
    Column("snapshot", BigInteger, ForeignKey("snapshot.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("crc32", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("open_ended", Boolean, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    comment="A snapshot's rendered documents; checksum: CRC-32 of body as it is stored",
)

SERIES = Table(
    "series",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("site", Text, nullable=False),
    UniqueConstraint("agent", "site"),
    comment="One site in one agent: what history is kept of",
)

HISTORY = Table(
    "history",
    METADATA,
    Column("series", BigInteger, ForeignKey("series.id", ondelete="CASCADE"), primary_key=True),
    Column("time", Double, primary_key=True),
    Column("state", Text),
    Column("running_slots", BigInteger),
    Column("pending_slots", BigInteger),
    Column("running_jobs", BigInteger),
    Column("pending_jobs", BigInteger),
    Column("tasks", LargeBinary),
    comment="What a series became, and when; all null: it left the snapshot; tasks: MessagePack",
)

CHUNK = Table(
    "chunk",
    METADATA,
    Column("series", BigInteger, ForeignKey("series.id", ondelete="CASCADE"), primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("begin", BigInteger, primary_key=True),
    Column("points", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("tasks", LargeBinary, nullable=False),
    comment="A series' points of one day (UTC), packed; step: 0 all, else the last of so many seconds",
)

GRID = Table(
    "grid",
    METADATA,
    Column("time", Double, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    comment="What all sites together became, and when; body: MessagePack of GridPoint",
)

JOURNAL = Table(
    "journal",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("time", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("agent", Text),
    Column("site", Text),
    Column("task", Text),
    Column("subject", Text),
    Column("old", Text),
    Column("new", Text),
    Column("cause", Text),
    Column("who", Text),
    Index("journal_time", "time"),
    Index("journal_site", "site", "id"),
    Index("journal_agent", "agent", "id"),
    Index("journal_kind", "kind", "id"),
    comment="What changed; old and new: JSON objects, null where it was not there",
)

LEASE = Table(
    "lease",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires", Double, nullable=False),
    comment="Who may collect, and until when",
)

POLLER = Table(
    "poller",
    METADATA,
    Column("replica", Text, primary_key=True),
    Column("release", Text, nullable=False),
    Column("expires", Double, nullable=False),
    comment="Replicas that can poll for the one that collects, and until when that is known",
)

ASSIGNMENT = Table(
    "assignment",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("ticket", Text, nullable=False),
    Column("replica", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("started", Double, nullable=False),
    Column("taken", Boolean, nullable=False),
    Column("error", Text),
    Column("batch", LargeBinary),
    comment="Polls that the one that collects leaves to other replicas; batch: MessagePack, compressed",
)

NOTE = Table(
    "note",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("time", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    comment="What happened to the store itself",
)

ABOUT = Table(
    "about",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="Whose store it is, and which",
)

REPORT = Table(
    "report",
    METADATA,
    Column("agent", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("time", Double, nullable=False),
    Column("received", Double, nullable=False),
    Column("subject", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    comment="What each agent pushed last; body: JSON as it was pushed, zlib",
)

ACKNOWLEDGEMENT = Table(
    "acknowledgement",
    METADATA,
    Column("finding", Text, primary_key=True),
    Column("made", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    comment="Who knows of which finding, and until when that is enough",
)

OVERRIDE = Table(
    "override",
    METADATA,
    Column("site", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("state", Text),
    Column("running", BigInteger),
    Column("pending", BigInteger),
    Column("mode", Text, nullable=False),
    Column("until", Double),
    Column("reason", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("made", Double, nullable=False),
    Column("version", BigInteger, nullable=False),
    comment="What operators set now; agent: empty for every agent; version: number of its last change",
)

OVERRIDE_CHANGE = Table(
    "override_change",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("site", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("time", Double, nullable=False),
    Column("who", Text),
    Column("cause", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("undoes", BigInteger),
    Index("override_change_place", "site", "agent", "number"),
    comment="What was changed at once, by number; before and after: JSON of the override, null: none",
)

CONTROL = Table(
    "control",
    METADATA,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("agent", Text, primary_key=True),
    Column("time", Double, nullable=False),
    Column("body", LargeBinary, nullable=False),
    comment="What agents are to make of their sites, the newest versions; body: MessagePack of AgentControl",
)

STEERING = Table(
    "steering",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    comment="What is effective of upstream; body: MessagePack of SteeringMemory",
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("opened", Double, nullable=False),
    Column("decision", Text, nullable=False),
    Column("decided", Double),
    Column("who", Text),
    Column("reason", Text),
    Column("ended", Double),
    Column("body", LargeBinary, nullable=False),
    comment="What upstream says and is not let pass; ended: since when not any more; body: MessagePack",
)

WEIGHT = Table(
    "weight",
    METADATA,
    Column("agent", Text, primary_key=True),
    Column("site", Text, primary_key=True),
    Column("weight", Double, nullable=False),
    Column("made", Double, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    comment="What operators set of agents' weights; site: empty for every site",
)

ASKED = Table(
    "asked",
    METADATA,
    Column("agent", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("time", Double, nullable=False),
    Column("earlier", Text, nullable=False),
    comment="When each agent last asked for its states, and which version it got; earlier: JSON of times",
)

_MORE = ((LEASE,), (POLLER,), (ASSIGNMENT,), (NOTE,), (ABOUT,), (REPORT,), (ACKNOWLEDGEMENT,), (ASKED,))
_STEERING = (OVERRIDE, OVERRIDE_CHANGE, CONTROL, STEERING, QUARANTINE, WEIGHT)
GROUPS = ((SNAPSHOT, DOCUMENT), (SERIES, HISTORY, CHUNK), (GRID,), (JOURNAL,), *_MORE, _STEERING)
"""Tables that mean nothing without each other: whoever steers by a part of them would steer wrong."""

COLUMNS: Mapping[str, frozenset[str]] = {
    table.name: frozenset(table.columns.keys()) for table in METADATA.sorted_tables
}
"""The columns of each table."""
