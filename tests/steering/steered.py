"""A whole service in one process: a site status board on loopback, a collector, and a worker that serves."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rcmon.collector.collector import Collector
from rcmon.collector.publisher import Publisher
from rcmon.collector.steering import Steersman
from rcmon.model import Agent, AgentSite, Snapshot, UpdaterSettings
from rcmon.render import render
from rcmon.steering import follow_control
from rcmon.store import Store
from rcmon.store.pruning import Ages
from rcmon.web.app import TABLE
from tests.collector.steady import Steady
from tests.scripted import Scripted
from tests.sources.http.kinds import hit, make_ssb, searched
from tests.sources.http.webservice import answer
from tests.sources.http.webservice import serving as upstream_serving
from tests.web.grid import NOW
from tests.web.serving import Serving, serving

AGENT, OTHER = "vocms0281", "vocms0282"
"""The agent's certificate is bound to the first."""
SITES = tuple(f"T2_XX_Site{number:02}" for number in range(20))
CONTROL = '[control]\nmode = "control"\n'
JSON_FIELDS = {"Content_Type": "application/json"}
RAW_HTML = b"<!DOCTYPE html><title>Sign in to your account</title>"


def question(metric: str) -> bytes:
    """Write what an agent's MonIT client asks, as far as it matters."""
    query = f"metadata.type: ssbmetric AND metadata.type_prefix:raw AND metadata.monit_hdfs_path: {metric}"
    lines = [{"search_type": "query_then_fetch"}, {"query": {"query_string": {"query": query}}}]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


class Board:
    """The site status board: what it says can be anything."""

    def __init__(self) -> None:
        self.sites: dict[str, dict[str, Any]] = {
            name: {"prod_status": "enabled", "core_cpu_intensive": 1000, "core_io_intensive": 300}
            for name in SITES
        }
        self.age = 60.0
        """Seconds."""
        self.raw: bytes | None = None
        """What it answers in place of rows."""
        self.now = NOW

    def set(self, names: Any, **values: Any) -> None:
        """Say something else of sites."""
        for name in [names] if isinstance(names, str) else names:
            self.sites[name] = {**self.sites[name], **values}

    async def say(self, _head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        """Answer."""
        written = self.now - self.age
        if b"sts15min" in body:
            rows = [hit(name, written, prod_status=site["prod_status"]) for name, site in self.sites.items()]
        else:
            rows = [
                hit(name, written, **{key: value for key, value in site.items() if key != "prod_status"})
                for name, site in self.sites.items()
            ]
        said = json.dumps(searched(rows)).encode() if self.raw is None else self.raw
        writer.write(answer(said))
        await writer.drain()
        writer.close()


class Replica(NamedTuple):
    """Where a service has its store and control file, and its name in the lease."""

    store: str
    file: Path
    holder: str


class SteeredService:
    """The service, at a time that stands still between cycles."""

    def __init__(self, board: Board, url: str, served: Serving, replica: Replica) -> None:
        self.board, self.served, self.file = board, served, replica.file
        self.now = NOW
        self.agents = {AGENT: self.agent(AGENT), OTHER: self.agent(OTHER)}
        self.troubles: dict[str, str | None] = {}
        self._url, self._store_url, self._holder = url, replica.store, replica.holder
        self.start()

    def start(self) -> None:
        """Start the collector; again: as after it was killed."""
        self.store = Store(self._store_url)
        self.settings = follow_control(self.file)
        self.cycle = Steady(
            [make_ssb(self._url), Scripted("db", lambda _: list(self.agents.values()))], 60.0, 3600.0
        )
        publisher = Publisher(self.store, holder=self._holder, ages=Ages(86400.0, 86400.0), lasts=60.0)
        self.collector = Collector(
            self.cycle,
            publisher,
            render,
            tell_trouble=self.troubles.__setitem__,
            steering=Steersman(self.store, self.settings),
        )

    def agent(self, name: str, **values: Any) -> Agent:
        """Make an agent that holds all sites as upstream had them."""
        sites = {
            site: AgentSite(site, "Normal", NOW, site, "SimpleCondorPlugin", 1000, 250, **values)
            for site in SITES
        }
        return Agent(name, self.now, sites, drain=False, updater=UpdaterSettings(team="t", tier0=False))

    async def cycles(self, count: int = 1, seconds: float = 60.0) -> Snapshot:
        """Run so many cycles, each so many seconds after the one before."""
        snapshot = None
        for _ in range(count):
            self.now += seconds
            self.board.now = self.served.now = self.now
            self.agents = {
                name: Agent(name, self.now, one.sites, drain=one.drain, updater=one.updater)
                for name, one in self.agents.items()
            }
            self.settings.refresh()
            snapshot = await self.collector.step(self.now)
            await self.served.board.check()
        assert snapshot is not None
        return snapshot

    async def ask(self, metric: str, agent: str = AGENT, who: str = "agent", **fields: str) -> Any:
        """Ask as an agent's bridge does."""
        return await self.served.ask(
            f"/api/agents/{agent}/ssb/_msearch",
            who,
            method="POST",
            body=question(metric),
            **JSON_FIELDS,
            **fields,
        )

    async def rows(self, metric: str) -> dict[str, dict[str, Any]]:
        """Ask, and give what is said by site."""
        answered = await self.ask(metric)
        assert answered.code == 200, answered.body
        (response,) = json.loads(answered.body)["responses"]
        return {one["_source"]["data"]["name"]: one["_source"]["data"] for one in response["hits"]["hits"]}

    async def told(self) -> dict[str, tuple[str, int, int]]:
        """Give what one cycle of the agent gets: status and cores by site."""
        states, slots = await self.rows("sts15min"), await self.rows("scap15min")
        assert set(slots) <= set(states)
        return {
            name: (
                row["prod_status"],
                slots[name]["core_cpu_intensive"],
                slots[name]["core_io_intensive"],
            )
            for name, row in states.items()
        }

    async def write(
        self, path: str, said: Mapping[str, Any], method: str = "POST", who: str = "operator"
    ) -> Any:
        """Ask for a change."""
        return await self.served.ask(path, who, method=method, body=json.dumps(said).encode(), **JSON_FIELDS)

    async def read(self, path: str, who: str = "reader") -> Any:
        """Read a document."""
        answered = await self.served.ask(path, who)
        assert answered.code == 200, answered.body
        return json.loads(answered.body)

    async def restart(self) -> None:
        """Let the collector be another process, that remembers nothing of its own."""
        await self.store.close()
        self.start()


@asynccontextmanager
async def steered(
    tmp_path: Path, control: str | None = CONTROL, database: str | None = None, holder: str = "one"
) -> AsyncIterator[SteeredService]:
    """Run the service; `control`: the control file's text, None: there is none."""
    file = tmp_path / "control.toml"
    if control is not None:
        file.write_text(control)
    url = database or f"sqlite:///{tmp_path}/rcmon.sqlite"
    store, board = Store(url), Board()
    await store.migrate()
    async with (
        upstream_serving(board.say) as web,
        serving(table=TABLE, store=store, control=follow_control(file)) as served,
    ):
        service = SteeredService(board, web.url, served, Replica(url, file, holder))
        try:
            yield service
        finally:
            await service.collector.close()
            await service.store.close()
