"""What agents are to do, concluded once a cycle: kept in the store with all that the guard remembers."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
from msgspec import Struct, structs
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.collector.clock import Moment
from rcmon.collector.overridden import Belief
from rcmon.errors import StoreCorruptError, StoreError
from rcmon.files.follower import Follower
from rcmon.model import Override, Snapshot
from rcmon.model.journal import EFFECTIVE, QUARANTINE, JournalEntry
from rcmon.model.steering import (
    AgentControl,
    AgentPlan,
    ControlStanding,
    Effective,
    LastAsked,
    Quarantine,
    Steered,
    Weight,
    Word,
)
from rcmon.rules.controlling import Orders, controls
from rcmon.rules.guarding import Judgement, UpstreamSeen, judge
from rcmon.rules.obeying import disobeyed, inherited, silent
from rcmon.steering import ControlSettings
from rcmon.store import Store
from rcmon.store.journal import add_entries
from rcmon.store.notes import SET_ASIDE, add_lost, read_notes
from rcmon.store.overrides import read_overrides
from rcmon.store.steering import (
    SteeringMemory,
    add_version,
    has_memory,
    keep_memory,
    keep_quarantines,
    newest_version,
    read_asked,
    read_controls,
    read_memory,
    read_quarantines,
    read_weights,
)

LOG = logging.getLogger(__name__)


class Remembered(Struct, frozen=True):
    """All that the store says of steering when a cycle begins."""

    memory: SteeringMemory
    kept: bool
    """Whether the store had it, or it begins here."""
    quarantines: tuple[Quarantine, ...]
    weights: tuple[Weight, ...]
    overrides: tuple[Override, ...]
    asked: tuple[LastAsked, ...]
    agents: Mapping[str, AgentControl]
    """The documents of the newest version, as far as they can be read."""
    lost: bool = False
    """Whether the store had the memory, and it could not be read."""


class _Concluded(Struct, frozen=True):
    """What a cycle is to keep."""

    memory: SteeringMemory
    judgement: Judgement
    agents: Mapping[str, AgentControl] | None
    """None: they are as they were."""
    entries: tuple[JournalEntry, ...]


class _Step(Struct):
    """One step of the collector, from its reading on."""

    begun: float
    """Begin of its cycle, which its snapshot has too."""
    remembered: Remembered | None = None
    concluded: _Concluded | None = None
    problem: str | None = None


class Steersman:
    """Concludes what agents are to do. Whatever is wrong with it, no cycle ends by it.

    Where something could not be read, concluded or kept, agents are told nothing: what the store has is
    marked so, or becomes too old by itself.
    """

    def __init__(self, store: Store, settings: Follower[ControlSettings]) -> None:
        self._store, self._settings = store, settings
        self._step = _Step(0.0)
        self._belief, self._set_lately = Belief(), 0.0
        self._known = False  # whether something was kept here before

    async def read(self, now: Moment, last_cycle: float | None) -> None:
        """Read what the last cycle left, and what operators decided since; `last_cycle`: when that began."""
        self._set_lately = self._belief.set_lately(now, last_cycle)
        step = self._step = _Step(now.wall)
        try:
            async with self._store.reading() as connection:
                step.remembered = await self._read(connection)
        except Exception as error:  # noqa: BLE001 - not even a fault of ours may end a cycle
            step.problem = _told(error)

    async def _read(self, connection: AsyncConnection) -> Remembered:
        kept = await has_memory(connection)
        memory, lost = await self._memory(connection)
        controls = await read_controls(connection, memory.standing.version)
        agents = {name: one for name, one in controls.items() if one is not None}
        if len(agents) < len(controls):
            memory = structs.replace(memory, digest="")  # another version, whatever is concluded
        return Remembered(
            memory,
            kept,
            await read_quarantines(connection),
            await read_weights(connection),
            await read_overrides(connection),
            await read_asked(connection),
            agents,
            lost,
        )

    async def _memory(self, connection: AsyncConnection) -> tuple[SteeringMemory, bool]:
        """Read what was effective; tells whether it is there and cannot be read, which is harm like loss."""
        try:
            memory = await read_memory(connection)
        except StoreCorruptError as error:
            LOG.warning("the next document of upstream waits for an operator: %s", error)
            standing = ControlStanding(await newest_version(connection), 0.0, None)
            return SteeringMemory(standing=standing, harmed=True), True
        if memory is None:
            notes = await connection.run_sync(read_notes)
            memory = SteeringMemory(harmed=self._known or any(one.kind == SET_ASIDE for one in notes))
        return memory, False

    def conclude(self, snapshot: Snapshot) -> Steered:
        """Conclude from a snapshot that has all but its findings; may be called in a thread, and again.

        A thread of a step that was given up goes on: what it concludes is nobody's any more.
        """
        step = self._step
        if snapshot.started != step.begun:
            return Steered()
        step.concluded = None
        if step.remembered is None:
            return Steered()
        try:
            step.concluded, steered = _conclude(
                step.remembered, snapshot, self._settings.value, self._set_lately
            )
        except Exception as error:
            LOG.exception("what agents are to do cannot be concluded")
            step.problem = _told(error)
            return Steered(quarantines=step.remembered.quarantines)
        return steered

    async def save(self, begin: Callable[[], AbstractAsyncContextManager[AsyncConnection]]) -> str | None:
        """Keep what was concluded, all or nothing; tells what is wrong, None where nothing is.

        `begin` begins a transaction; it raises where another replica collects by now.
        """
        step = self._step
        concluded, remembered = step.concluded, step.remembered
        try:
            async with begin() as connection:
                if remembered is not None and remembered.kept and not await has_memory(connection):
                    # overrides and weights went with it: what was concluded by them must not outlive them
                    raise StoreCorruptError("what was effective is not in the store any more")
                if concluded is not None:
                    await _keep(connection, concluded)
                elif remembered is not None:
                    standing = structs.replace(remembered.memory.standing, problem=step.problem)
                    await keep_memory(connection, structs.replace(remembered.memory, standing=standing))
                if remembered is not None and remembered.lost:
                    await add_lost(connection, "what was effective cannot be read", time.time())
            self._known = self._known or concluded is not None
        except StoreError as error:
            step.problem = step.problem or _told(error)
        return step.problem


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__


def _conclude(
    remembered: Remembered, snapshot: Snapshot, settings: ControlSettings, set_lately: float
) -> tuple[_Concluded, Steered]:
    memory, now = remembered.memory, snapshot.started
    judgement = judge(
        memory.effective,
        seen_in(snapshot),
        remembered.quarantines,
        now,
        settings.guard,
        harmed=memory.harmed,
    )
    plans = _plans(snapshot, settings, remembered.weights)
    told = Orders(judgement.effective, judgement.standing, remembered.overrides, plans)
    agents = inherited(remembered.agents, controls(snapshot, told))
    digest = hashlib.sha256(msgspec.msgpack.encode(agents)).hexdigest()[:20]
    is_new = digest != memory.digest
    standing = ControlStanding(memory.standing.version + is_new, now, judgement.effective.confirmed)
    kept = SteeringMemory(
        judgement.effective, standing, digest, harmed=memory.harmed and not judgement.effective.good
    )
    entries = (
        *_effective_entries(memory.effective, judgement, now),
        *_quarantine_entries(remembered.quarantines, judgement, now),
    )
    obeying = [name for name, plan in plans.items() if plan.mode == "control"]
    steered = Steered(
        judgement.standing,
        silent(obeying, remembered.asked, now, set_lately),
        tuple(disobeyed(agents, obeying, remembered.asked, snapshot)),
    )
    return _Concluded(kept, judgement, agents if is_new else None, entries), steered


def seen_in(snapshot: Snapshot) -> UpstreamSeen:
    """Take what upstream says of a snapshot, and when all of it was read."""
    sources = {name for name, given in snapshot.given.items() if given.sites is not None}
    times = [state.last_success for state in snapshot.sources if state.name in sources]
    known = [time for time in times if time is not None]
    return UpstreamSeen(snapshot.upstream().sites, min(known, default=None))


def _plans(snapshot: Snapshot, settings: ControlSettings, weights: Sequence[Weight]) -> dict[str, AgentPlan]:
    return {
        name: _plan(name, settings, [one for one in weights if one.agent == name])
        for name in sorted({*snapshot.agents, *settings.agents})
    }


def _plan(name: str, settings: ControlSettings, weights: Sequence[Weight]) -> AgentPlan:
    everywhere = next((one.weight for one in weights if one.site is None), settings.weight_of(name))
    sites = {one.site: one.weight for one in weights if one.site is not None}
    return AgentPlan(settings.mode_of(name), everywhere, settings.team_of(name), sites)


async def _keep(connection: AsyncConnection, concluded: _Concluded) -> None:
    standing = concluded.memory.standing
    await keep_memory(connection, concluded.memory)
    if concluded.agents is not None:
        await add_version(connection, standing.version, standing.concluded, concluded.agents)
    judgement = concluded.judgement
    await keep_quarantines(connection, judgement.standing, judgement.ended, standing.concluded)
    await add_entries(connection, concluded.entries)


def _effective_entries(before: Effective, judgement: Judgement, now: float) -> Iterator[JournalEntry]:
    """Tell what became effective, and why."""
    released = {
        proposal.site: one
        for one in judgement.ended
        if one.decision == "released"
        for proposal in one.proposals
    }
    for name, word in judgement.effective.good.items():
        old = before.good.get(name)
        if old == word:
            continue
        one = released.get(name)
        cause = "upstream says so" if one is None else f"quarantine {one.id} was released: {one.reason}"
        yield JournalEntry(
            now,
            EFFECTIVE.name,
            None if old is None else _word(old),
            _word(word),
            site=name,
            cause=cause,
            by=one.by if one else None,
        )


def _word(word: Word) -> dict[str, object]:
    return {"status": word.status, "cpu": word.cpu, "io": word.io}


def _quarantine_entries(
    before: Sequence[Quarantine], judgement: Judgement, now: float
) -> Iterator[JournalEntry]:
    known = {one.id: one for one in before}
    for one in judgement.standing:
        if one.id not in known:
            yield JournalEntry(now, QUARANTINE.name, None, one.told(), subject=one.id, cause=one.message)
    standing = {one.id for one in judgement.standing}
    for one in before:
        if one.id not in standing:
            released = one.decision == "released"
            cause = "it was released" if released else "upstream does not say so any more"
            yield JournalEntry(now, QUARANTINE.name, one.told(), None, subject=one.id, cause=cause, by=one.by)
