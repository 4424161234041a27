"""The statements about pushed reports, the newest of each agent and kind. In their caller's transaction."""

import hashlib
import zlib
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import StoreCorruptError
from rcmon.store.tables import REPORT

_HEAD = REPORT.c.agent, REPORT.c.kind, REPORT.c.time, REPORT.c.received, REPORT.c.subject, REPORT.c.digest


class ReportHead(Struct, frozen=True):
    """A pushed report without its body. Times: seconds since the epoch."""

    agent: str
    kind: str
    time: float
    """When it was written, as it says; where it does not say, when it was last pushed."""
    received: float
    """When it was pushed: first, where it was pushed again as it was."""
    subject: str
    """Whose certificate pushed it."""
    digest: str


class PackedReport(Struct, frozen=True):
    """A pushed report as it is stored."""

    head: ReportHead
    packed: bytes


def pack_report(
    agent: str, kind: str, body: bytes, *, time: float, received: float, subject: str
) -> PackedReport:
    """Shape a report for `keep_report`; a large one takes some tens of milliseconds, so do it in a thread."""
    head = ReportHead(agent, kind, time, received, subject, _digest(body))
    return PackedReport(head, zlib.compress(body, 1))


def unpack_report(report: PackedReport) -> bytes:
    """Give the body as it was pushed, inflated: JSON. Raises StoreCorruptError where it is not that.

    A large one takes some milliseconds, so do it in a thread.
    """
    agent = report.head.agent
    try:
        body = zlib.decompress(report.packed)
    except (zlib.error, TypeError) as error:
        raise StoreCorruptError(f"a report of agent {agent!r} is damaged in the store: {error}") from error
    if _digest(body) != report.head.digest:
        raise StoreCorruptError(f"a report of agent {agent!r} is damaged in the store")
    return body


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:40]


async def keep_report(
    connection: AsyncConnection, report: PackedReport, believable: float
) -> ReportHead | None:
    """Keep a report in place of the one before; gives that where it is newer, and stays.

    The same once more changes nothing. A held one whose time is later than `believable` is not newer: the
    clock was wrong by which it was taken.
    """
    head = report.head
    this = and_(REPORT.c.agent == head.agent, REPORT.c.kind == head.kind)
    held = await _head(connection, head.agent, head.kind, locks=True)
    if held is not None and head.time < held.time <= believable:
        return held
    values = {
        "time": head.time,
        "received": head.received,
        "subject": head.subject,
        "digest": head.digest,
        "body": report.packed,
    }
    if held is None:
        await connection.execute(insert(REPORT).values(agent=head.agent, kind=head.kind, **values))
    elif (held.time, held.digest) != (head.time, head.digest):
        await connection.execute(update(REPORT).where(this).values(values))
    return None


async def _head(
    connection: AsyncConnection, agent: str, kind: str, *, locks: bool = False
) -> ReportHead | None:
    """Read a report's head; `locks`: nobody else changes it until the transaction ends."""
    wanted = select(*_HEAD).where(REPORT.c.agent == agent, REPORT.c.kind == kind)
    row = (await connection.execute(wanted.with_for_update() if locks else wanted)).one_or_none()
    return None if row is None else ReportHead(*row)


async def read_heads(connection: AsyncConnection) -> Sequence[ReportHead]:
    """Read the heads of all reports, by agent and kind."""
    rows = await connection.execute(select(*_HEAD).order_by(REPORT.c.agent, REPORT.c.kind))
    return [ReportHead(*row) for row in rows]


async def read_reports(connection: AsyncConnection, agent: str) -> Sequence[PackedReport]:
    """Read one agent's reports, by kind."""
    wanted = select(*_HEAD, REPORT.c.body).where(REPORT.c.agent == agent).order_by(REPORT.c.kind)
    return [PackedReport(ReportHead(*head), body) for *head, body in await connection.execute(wanted)]


async def prune_reports(connection: AsyncConnection, before: float) -> None:
    """Forget reports that were pushed, and written, before that time."""
    await connection.execute(delete(REPORT).where(REPORT.c.received < before, REPORT.c.time < before))
