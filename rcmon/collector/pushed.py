"""What agents pushed, as the store has it when a cycle begins."""

import asyncio
import logging

from msgspec import structs

from rcmon.errors import StoreCorruptError
from rcmon.model import AgentReport, SubmitReport, Upstream
from rcmon.reports import ReportError, understand
from rcmon.store import Store
from rcmon.store.reports import PackedReport, ReportHead, read_heads, read_reports, unpack_report

LOG = logging.getLogger(__name__)

LONGEST = 5.0
"""Seconds that reading them may take: a cycle does not wait longer for what agents say of themselves."""


class Pushed:
    """Reads the newest reports; what did not change is not read again.

    Whatever is wrong with the store or a report, no cycle ends by it: what was read before stays, with its
    age, and the log tells when that begins.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, str], tuple[ReportHead, AgentReport | SubmitReport | None]] = {}
        self._failing: str | None = None

    async def read(self, oldest: float) -> Upstream | None:
        """Give what was pushed since `oldest`, seconds since the epoch; None: nothing."""
        try:
            async with asyncio.timeout(LONGEST):
                await self._refresh()
        except Exception as error:  # noqa: BLE001 - not even a fault of ours may end a cycle
            reason = str(error) or type(error).__name__
            if self._failing is None:
                LOG.warning("pushed reports cannot be read, those read before stay: %s", reason)
            self._failing = reason
        else:
            self._failing = None
        found = [(head.agent, report) for head, report in self._known.values() if head.received >= oldest]
        reports = {agent: one for agent, one in found if isinstance(one, AgentReport)}
        submitted = {agent: one for agent, one in found if isinstance(one, SubmitReport)}
        if not reports and not submitted:
            return None
        return Upstream(reports=dict(sorted(reports.items())), submitted=dict(sorted(submitted.items())))

    async def _refresh(self) -> None:
        async with self._store.reading() as connection:
            heads = {(head.agent, head.kind): head for head in await read_heads(connection)}
        known = {key: self._known[key] for key, head in heads.items() if self._is_known(key, head)}
        for agent in sorted({agent for agent, kind in heads if (agent, kind) not in known}):
            async with self._store.reading() as connection:
                packed = await read_reports(connection, agent)
            for one in packed:
                known[one.head.agent, one.head.kind] = one.head, await asyncio.to_thread(_made_out, one)
        self._known = known

    def _is_known(self, key: tuple[str, str], head: ReportHead) -> bool:
        return key in self._known and self._known[key][0] == head


def _made_out(packed: PackedReport) -> AgentReport | SubmitReport | None:
    """Make a report out; None for one that only an rcmon of another version takes, or that is damaged."""
    head = packed.head
    try:
        report = understand(unpack_report(packed), head.received).report
    except (ReportError, StoreCorruptError) as error:
        LOG.warning("the %s that agent %s pushed is left out: %s", head.kind, head.agent, error)
        return None
    if isinstance(report, AgentReport):
        return structs.replace(report, received=head.received)
    return structs.replace(report, time=head.time)
