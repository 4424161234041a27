"""The source kind `ssb`: asks the site status board for all sites' status and cores."""

import asyncio
import time
from typing import Annotated

from msgspec import Meta, Raw

from rcmon.model import Batch, Upstream
from rcmon.sources.http import HTTPConfig, HTTPService
from rcmon.sources.noting import Noting
from rcmon.sources.plausible import DocumentValues
from rcmon.sources.roll import Roll
from rcmon.sources.ssb.board import CAPACITY, STATUS, board
from rcmon.sources.ssb.columns import COLUMNS
from rcmon.sources.ssb.findings import FINDINGS
from rcmon.sources.ssb.search import MEDIA, hits_of, newest, question

SHARE = 0.9
"""Share of a poll's time after which it gives up by itself; the rest lets that show."""

Dataset = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z",
        description="is no Grafana data source: right is its number or name, letters, digits, '_' and '-'",
    ),
]


class SSBConfig(HTTPConfig, frozen=True, kw_only=True, tag="ssb"):
    """A `[[source]]` of kind `ssb`; its `url` is Grafana's."""

    dataset: Dataset
    """The data source that Grafana hands the search on to, as in its path."""


class SSBSource:
    """One site status board. Raises ConfigError for a configuration that cannot be used."""

    kind = "ssb"

    def __init__(self, config: SSBConfig) -> None:
        self.name = config.name
        self.timeout = config.timeout
        self._service = HTTPService(config)
        self._target = f"/api/datasources/proxy/{config.dataset}/_msearch"
        self._roll = Roll("rows")

    def __repr__(self) -> str:
        return f"<SSBSource {self.name}>"

    async def poll(self, now: float) -> Batch:
        """Ask for both metrics; `now`: seconds since the epoch. Raises SourceError."""
        begun = time.monotonic()
        async with self._service.asking(self.timeout * SHARE) as asking:
            hits = {
                metric: await asking.post(self._target, question(metric), MEDIA, hits_of)
                for metric in (STATUS, CAPACITY)
            }
            upstream = await asyncio.to_thread(self._conclude, hits, now)
        return Batch(self.name, self.kind, now, time.monotonic() - begun, upstream=upstream)

    async def close(self) -> None:
        """Cut a running poll off."""
        await self._service.close()

    def _conclude(self, hits: dict[str, list[Raw]], now: float) -> Upstream:
        values = DocumentValues(Noting(FINDINGS), now, COLUMNS)
        rows = {metric: newest(metric, found, values) for metric, found in hits.items()}
        sites = board(rows[STATUS], rows[CAPACITY], values)
        self._roll.call([f"{site} of {metric}" for metric, found in rows.items() for site in found])
        return Upstream(sites=sites, findings=values.findings.all())
