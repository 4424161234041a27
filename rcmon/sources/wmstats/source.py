"""The source kind `wmstats`: asks CouchDB for what the agents say of themselves."""

import asyncio
import time
from collections.abc import Sequence

from msgspec import Raw

from rcmon.model import Batch, Upstream
from rcmon.sources.http import HTTPConfig, HTTPService
from rcmon.sources.noting import Noting
from rcmon.sources.roll import Roll
from rcmon.sources.wmstats.documents import reports_of, rows_of
from rcmon.sources.wmstats.findings import FINDINGS

SHARE = 0.9
"""Share of a poll's time after which it gives up by itself; the rest lets that show."""
TARGET = "/_design/WMStats/_view/agentInfo"


class WMStatsConfig(HTTPConfig, frozen=True, kw_only=True, tag="wmstats"):
    """A `[[source]]` of kind `wmstats`; its url is the database, such as https://HOST/couchdb/wmstats."""


class WMStatsSource:
    """One WMStats. Raises ConfigError for a configuration that cannot be used."""

    kind = "wmstats"

    def __init__(self, config: WMStatsConfig) -> None:
        self.name = config.name
        self.timeout = config.timeout
        self._service = HTTPService(config)
        self._roll = Roll("agents")

    def __repr__(self) -> str:
        return f"<WMStatsSource {self.name}>"

    async def poll(self, now: float) -> Batch:
        """Ask for all agents' documents; `now`: seconds since the epoch. Raises SourceError."""
        begun = time.monotonic()
        async with self._service.asking(self.timeout * SHARE) as asking:
            rows = await asking.get(TARGET, rows_of)
            upstream = await asyncio.to_thread(self._conclude, rows, now)
        return Batch(self.name, self.kind, now, time.monotonic() - begun, upstream=upstream)

    async def close(self) -> None:
        """Cut a running poll off."""
        await self._service.close()

    def _conclude(self, rows: Sequence[Raw], now: float) -> Upstream:
        findings = Noting(FINDINGS)
        reports = reports_of(rows, now, findings)
        self._roll.call(reports)
        return Upstream(reports=reports, findings=findings.all())
