"""The source kind `wmagent`: polls the database of one WMAgent."""

import asyncio
import time
from pathlib import Path

from rcmon.model import Batch
from rcmon.sources.base import SourceConfig, Text
from rcmon.sources.database import Database
from rcmon.sources.wmagent.agent import Configured, make_agent
from rcmon.sources.wmagent.reading import load_queries, read
from rcmon.sources.wmagent.submitter import SubmitterTable
from rcmon.sources.wmagent.updater import UpdaterTable

SHARE = 0.9
"""Share of a poll's time after which the database stops a statement by itself; the rest lets that show."""


class WMAgentConfig(SourceConfig, frozen=True, kw_only=True, tag="wmagent"):
    """A `[[source]]` of kind `wmagent`."""

    url: Text
    """Where the agent's database is; it never holds a password."""
    password_file: Path | None = None
    """The file whose content, less the newline at its end, is the password; read at each connect."""
    updater: UpdaterTable = UpdaterTable()
    submitter: SubmitterTable = SubmitterTable()


class WMAgentSource:
    """One WMAgent, named as the source is. Raises ConfigError for a configuration that cannot be used."""

    kind = "wmagent"

    def __init__(self, config: WMAgentConfig) -> None:
        self.name = config.name
        self.timeout = config.timeout
        self._configured = Configured(config.updater.settings(), config.submitter.settings())
        self._database = Database(config.url, config.password_file)
        self._queries = load_queries(self._database.driver.set_of)

    def __repr__(self) -> str:
        return f"<WMAgentSource {self.name}>"

    async def poll(self, now: float) -> Batch:
        """Read the agent; `now`: seconds since the epoch. Raises SourceError."""
        begun = time.monotonic()
        async with self._database.reading(self.timeout * SHARE) as reader:
            reading = await read(reader, self._queries)
        # in a thread, so that a loop which serves as well is not held up
        agent = await asyncio.to_thread(make_agent, self.name, now, reading, self._configured)
        return Batch(self.name, self.kind, now, time.monotonic() - begun, (agent,))

    async def close(self) -> None:
        """Cut a running poll off."""
        await self._database.close()
