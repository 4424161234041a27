"""What agents are steered with, as the store has it: control documents, and answers in MonIT's shape.

Every question is answered from the store, so that all workers and replicas say the same; whatever is in
doubt is a 503, by which an agent changes nothing.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from rcmon.errors import StoreBusyError, StoreError
from rcmon.files.follower import Follower
from rcmon.model.freshness import is_of_now
from rcmon.model.steering import AgentControl, ControlStanding, Mode, SiteControl
from rcmon.process.pause import happens
from rcmon.steering import ControlSettings
from rcmon.store import Store
from rcmon.store.steering import note_asked, read_asked, read_control, read_memory
from rcmon.telemetry.own import SSB_QUESTIONS
from rcmon.telemetry.tally import Tally
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.api.content import check_json, content_of
from rcmon.web.transport.request import Request

LARGEST = 64 << 10
"""Bytes of a question in MonIT's words; an agent's has a thousand."""
FRESH = 900.0
"""Seconds after which what a cycle concluded is too old to be told."""
PINNED = 300.0
"""Seconds for which an agent's cycle has one version: it writes its states before it asks for slots."""
LOOK = 0.5
"""Seconds between two looks for a newer version."""
VERSION = "X-Rcmon-Control-Version"
STATES, SLOTS = "sts15min", "scap15min"
_METRIC = re.compile(rb"metadata\.monit_hdfs_path: (\w+)")
_MAJOR_DIGITS = 18


class SiteControlShape(Struct, frozen=True):
    """What an agent is to make of one site."""

    state: str | None
    state_from: str
    """upstream, guard, override or share."""
    running_slots: int | None
    pending_slots: int | None
    slots_from: str
    reason: str | None
    """Why, where it is not from upstream."""
    prod_status: str
    """As it is served to an unmodified agent; likewise the cores."""
    core_cpu_intensive: int | None
    core_io_intensive: int | None
    since: str | None
    """Since when it is so."""


class ControlShape(Struct, frozen=True):
    """What an agent is to make of its sites."""

    agent: str
    mode: str
    """observe, advise or control."""
    version: int
    timestamp: str | None
    """When it was concluded last."""
    confirmed: str | None
    """When the newest sound document of upstream was read."""
    team: str | None
    agents: int | None
    """How many the agent counts in its team."""
    weight: float
    problem: str | None
    """Why an unmodified agent is answered 503; null: it is answered."""
    sites: Mapping[str, SiteControlShape]


class SearchAnswer(Struct, frozen=True):
    """An answer in MonIT's shape, as it is documented."""

    responses: Sequence[Mapping[str, Any]]


class Searched(Struct, frozen=True):
    """An answer in MonIT's shape."""

    version: int
    body: bytes


class Steering:
    """Tells what agents are to do."""

    def __init__(
        self,
        store: Store,
        settings: Follower[ControlSettings],
        tally: Tally | None,
        clock: Callable[[], float],
        stop: asyncio.Event,
    ) -> None:
        self._store, self._settings, self._tally, self._clock = store, settings, tally, clock
        self._stop = stop
        self._turn = asyncio.Lock()
        self._looked: tuple[float, ControlStanding | None] | None = None

    async def settings(self) -> ControlSettings:
        """Give what holds now: the file is looked at, so that going back takes effect at once."""
        async with self._turn:
            await asyncio.to_thread(self._settings.refresh)
        return self._settings.value

    async def mode(self, agent: str) -> Mode:
        """Tell how far an agent is steered now."""
        return (await self.settings()).mode_of(agent)

    async def told(
        self, agent: str, wait: float, known: str | None, is_there: Callable[[], bool] = lambda: True
    ) -> ControlShape:
        """Tell what an agent is to do; waits at most so many seconds while `known` is the newest version.

        `is_there`: whether the snapshot has it. Problem 404 where there is no such agent or nothing is told
        of it, 503 where that cannot be read.
        """
        if await self.mode(agent) == "observe":
            if agent not in self._settings.value.agents and not is_there():
                raise Problem(404, f"There is no agent {agent[:200]!r} now.", agent=agent[:200])
            detail = f"Agent {agent!r} is only observed; the control file can set mode advise or control."
            raise Problem(404, detail, agent=agent, mode="observe")
        if wait and known is not None:
            await self._newer(known, wait)
        try:
            async with self._store.reading() as connection:
                memory = await read_memory(connection)
                found = await read_control(connection, memory.standing.version, agent) if memory else None
        except StoreError as error:
            raise unavailable("It cannot be read", error) from error
        if memory is None:
            raise Problem(503, "No cycle has concluded anything yet.", fields=(("Retry-After", "5"),))
        if found is None:
            raise Problem(404, f"Nothing is concluded for agent {agent[:200]!r}.", agent=agent[:200])
        standing = memory.standing
        doubt = self._doubt(found, standing, await self.settings())
        return _shape(found, standing, await self.mode(agent), doubt)

    async def _newer(self, known: str, wait: float) -> None:
        """Wait until there is another version than that, the worker is to end, or the time is up."""
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
            standing = await self._look()
            if standing is None or str(standing.version) != known:
                return
            await happens(self._stop, min(LOOK, left))

    async def _look(self) -> ControlStanding | None:
        """Read how the documents stand, for all who wait together."""
        async with self._turn:
            now = time.monotonic()
            if self._looked is None or now - self._looked[0] >= LOOK:
                try:
                    async with self._store.reading() as connection:
                        memory = await read_memory(connection)
                except StoreError:
                    memory = None
                self._looked = (now, memory.standing if memory else None)
            return self._looked[1]

    async def search(self, agent: str, request: Request) -> Searched:
        """Answer an unmodified agent as MonIT would. Problem 503 in any doubt."""
        try:
            found = await self._search(agent, request)
        except Problem as problem:
            doubt = "off" if "mode" in problem.members else "doubt"
            self._count(doubt if problem.status_code == 503 else "refused")  # noqa: PLR2004 - a status
            raise
        self._count("answered")
        return found

    async def _search(self, agent: str, request: Request) -> Searched:
        check_json(request.headers)
        metric = _metric(content_of(request.headers, request.body, LARGEST))
        settings = await self.settings()
        if (mode := settings.mode_of(agent)) != "control":
            raise Problem(503, f"Agent {agent!r} is in mode {mode}: rcmon does not steer it.", mode=mode)
        wanted = _wanted(request.headers.get(VERSION))
        try:
            version, standing, control = await self._pinned(agent, metric, wanted)
        except StoreError as error:
            raise unavailable("What agents are to do cannot be read", error) from error
        if doubt := self._doubt(control, standing, settings):
            raise _doubtful(doubt)
        return Searched(version, _answer(metric, control, standing))

    async def _pinned(
        self, agent: str, metric: str, wanted: int | None
    ) -> tuple[int, ControlStanding, AgentControl]:
        """Read the document that all of an agent's cycle is answered from; a cycle begins with the states."""
        now = self._clock()
        if metric == STATES:
            async with self._store.adding() as connection:
                memory = await read_memory(connection)
                version = memory.standing.version if memory else 0
                control = await read_control(connection, version, agent)
                if memory is not None and control is not None:
                    await note_asked(connection, agent, version, now)
        else:
            async with self._store.reading() as connection:
                memory = await read_memory(connection)
                pins = await read_asked(connection, agent)
                if not pins or not 0 <= now - pins[0].time <= PINNED:
                    raise _doubtful("the agent has not asked for its states just before")
                version = pins[0].version
                if wanted is not None and wanted != version:
                    raise _doubtful(f"the states that it has are of version {wanted}, its slots of {version}")
                control = await read_control(connection, version, agent)
        if memory is None or control is None:
            raise _doubtful(f"nothing is concluded for agent {agent!r}")
        return version, memory.standing, control

    def _doubt(
        self, control: AgentControl, standing: ControlStanding, settings: ControlSettings
    ) -> str | None:
        """Say why an agent must not act by what is there; None: it may."""
        now = self._clock()
        if standing.problem is not None:
            return f"the last cycle concluded nothing: {standing.problem}"
        if not is_of_now(standing.concluded, now, FRESH):
            return f"the last cycle concluded at {iso(standing.concluded)}, it is {iso(now)}"
        confirmed = standing.confirmed
        if confirmed is None or not is_of_now(confirmed, now, settings.guard.max_age):
            return f"the last sound document of upstream is of {iso(confirmed)}"
        mode = settings.mode_of(control.agent)
        if control.mode != mode:
            return f"it was concluded for mode {control.mode}, and the agent is in mode {mode} now"
        if control.problem is None and not control.sites:
            return "no site is known"
        return control.problem

    def _count(self, outcome: str) -> None:
        if self._tally is not None:
            self._tally.count(SSB_QUESTIONS, outcome)


def _metric(question: bytes) -> str:
    found = _METRIC.search(question)
    metric = found[1].decode() if found else None
    if metric not in (STATES, SLOTS):
        detail = (
            f"The search is for {metric!r}; answered are {STATES} and {SLOTS}, by metadata.monit_hdfs_path."
        )
        raise Problem(422, detail)
    return metric


def _wanted(stated: str | None) -> int | None:
    if stated is None:
        return None
    if not (stated.isascii() and stated.isdecimal() and len(stated) <= _MAJOR_DIGITS):
        raise Problem(400, f"{VERSION} is {stated[:50]!r}; right is a version's number.")
    return int(stated)


def _answer(metric: str, control: AgentControl, standing: ControlStanding) -> bytes:
    """Write what MonIT would, in the least form that agents read."""
    confirmed = standing.confirmed or 0.0
    hits = [
        {"_source": {"data": data}, "sort": [int((site.confirmed or confirmed) * 1000)]}
        for site in control.sites
        if (data := _data(metric, site)) is not None
    ]
    if not hits:
        raise _doubtful("there is no site to tell of")
    return msgspec.json.encode({"responses": [{"hits": {"hits": hits}}]})


def _data(metric: str, site: SiteControl) -> dict[str, object] | None:
    if metric == STATES:
        return {"name": site.site, "prod_status": site.status}
    if site.cpu is None or site.io is None:
        return None  # it never had any
    return {"name": site.site, "core_cpu_intensive": site.cpu, "core_io_intensive": site.io}


def _shape(control: AgentControl, standing: ControlStanding, mode: Mode, doubt: str | None) -> ControlShape:
    return ControlShape(
        control.agent,
        mode,
        standing.version,
        iso(standing.concluded),
        iso(standing.confirmed),
        control.team,
        control.agents,
        control.weight,
        doubt,
        {site.site: _site(site) for site in control.sites},
    )


def _site(site: SiteControl) -> SiteControlShape:
    return SiteControlShape(
        site.state,
        site.state_from,
        site.running_slots,
        site.pending_slots,
        site.slots_from,
        site.reason,
        site.status,
        site.cpu,
        site.io,
        iso(site.since),
    )


def _doubtful(why: str) -> Problem:
    return Problem(503, f"In doubt nothing is told: {why}.", fields=(("Retry-After", "60"),))


def unavailable(what: str, error: StoreError) -> Problem:
    """Make the 503 of a store that does not serve now."""
    seconds = "1" if isinstance(error, StoreBusyError) else "5"
    return Problem(503, f"{what}: {error}", fields=(("Retry-After", seconds),))
