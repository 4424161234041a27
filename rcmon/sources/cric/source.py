"""The source kind `cric`: asks the catalogue of the grid's sites."""

import asyncio
import time
from functools import partial

from rcmon.model import Batch, Upstream
from rcmon.sources.cric.findings import FINDINGS
from rcmon.sources.cric.tables import COLUMNS, NAMES, PROCESSING, Table, site_names, table_of
from rcmon.sources.http import HTTPConfig, HTTPService
from rcmon.sources.noting import Noting
from rcmon.sources.plausible import DocumentValues
from rcmon.sources.roll import Roll

SHARE = 0.9
"""Share of a poll's time after which it gives up by itself; the rest lets that show."""
TARGET = "/api/cms/site/query/?json&preset={preset}&rcsite_state=ANY"
"""As WMCore asks."""


class CRICConfig(HTTPConfig, frozen=True, kw_only=True, tag="cric"):
    """A `[[source]]` of kind `cric`."""


class CRICSource:
    """One catalogue. Raises ConfigError for a configuration that cannot be used."""

    kind = "cric"

    def __init__(self, config: CRICConfig) -> None:
        self.name = config.name
        self.timeout = config.timeout
        self._service = HTTPService(config)
        self._roll = Roll("sites and their storage")

    def __repr__(self) -> str:
        return f"<CRICSource {self.name}>"

    async def poll(self, now: float) -> Batch:
        """Ask for both tables; `now`: seconds since the epoch. Raises SourceError."""
        begun = time.monotonic()
        async with self._service.asking(self.timeout * SHARE) as asking:
            tables = {
                preset: await asking.get(TARGET.format(preset=preset), partial(table_of, preset))
                for preset in (NAMES, PROCESSING)
            }
            upstream = await asyncio.to_thread(self._conclude, tables, now)
        return Batch(self.name, self.kind, now, time.monotonic() - begun, upstream=upstream)

    async def close(self) -> None:
        """Cut a running poll off."""
        await self._service.close()

    def _conclude(self, tables: dict[str, Table], now: float) -> Upstream:
        values = DocumentValues(Noting(FINDINGS), now, COLUMNS)
        names = site_names(tables, values)
        self._roll.call({*names, *(f"{name}'s {pnn}" for name, site in names.items() for pnn in site.pnns)})
        return Upstream(names=names, findings=values.findings.all())
