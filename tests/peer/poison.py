"""An upstream that goes wrong in every way, a bridge before it, and what an agent's updater may then write.

Each case is one round of the unmodified updater over an agent of its own: three questions, each answered in a
way of its own. The bridge is the real one, behind its own TLS; it stands in one process with the upstream so
that its clock can be set, and it can be born anew, between two questions.
"""

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, cast

from msgspec import Struct, structs
from tornado.netutil import bind_sockets

from rcmon.bridge.answer import read
from rcmon.bridge.answering import Answering
from rcmon.bridge.asking import Rcmon
from rcmon.bridge.chain import Chain
from rcmon.bridge.loopback import LoopbackTLS
from rcmon.bridge.node import Node
from rcmon.bridge.outcomes import Outcomes
from rcmon.bridge.serving import Door, server
from rcmon.files.follower import Follower
from rcmon.model import Agent, AgentReport, UpdaterSettings
from tests.peer.poisons import ANSWERS, DAY, HANGS, LEFT_OUT, Control, Good, shaped
from tests.peer.test_updater import NOW, Round, site
from tests.sources.http.webservice import length_of

PATIENT, IMPATIENT = 60.0, 0.2
"""Seconds that the bridge waits for its upstream; the fewer where the upstream hangs."""


class Act(Struct, frozen=True):
    """What becomes of one question."""

    answer: str
    """The name of a way to answer, of ANSWERS."""
    document: int
    """Which of the case's documents it is made of."""
    before: str
    """What happens to the bridge before: nothing, "restart", "late", "early"."""


class Case(Struct, frozen=True):
    """One round: an agent, the documents that were ever valid for it, and what its questions meet."""

    agent: Agent
    reports: dict[str, AgentReport]
    documents: tuple[Control, ...]
    """In the order in which they came; the bridge may know the first."""
    knows: bool
    """Whether the bridge has answered by the first document before."""
    acts: tuple[Act, ...]
    killed: bool
    """Whether the bridge may be killed while it answers, at any octet of any connection."""
    seed: int

    def allowed(self) -> list[set[tuple[object, ...]]]:
        """Say what each document asks for."""
        return [Round(self.agent, one.statuses(), self.reports).expected() for one in self.documents]

    def asked(self, number: int, url: str, *, bridged: bool) -> dict[str, Any]:
        """Write it as the peer is asked; the bridge reads the number in the token."""
        one = Round(self.agent, {}, self.reports).asked(number)
        told = {"ssb": "agent0", "token": f"Bearer {number}"} if bridged else {}
        return one | told | {"url": url}


def generated(rng: Random) -> Case:
    """Make a case."""
    names = [f"T{rng.randrange(4)}_XX_S{number}" for number in range(rng.randint(1, 9))]
    settings = UpdaterSettings(
        team="one",
        tier0=rng.random() < 0.2,
        only_ssb=rng.random() < 0.5,
        force_site_down=tuple(name for name in names if rng.random() < 0.05),
    )
    reports = {
        f"agent{number}": AgentReport(NOW, "one", None, "ok", drain=number > 0 and rng.random() < 0.3)
        for number in range(rng.randint(1, 6))
    }
    agent = Agent("agent0", NOW, {name: site(rng, name) for name in names}, updater=settings)
    documents = tuple(
        Control(number + 5, NOW - 120 + 60 * number, {name: _values(rng, name == names[0]) for name in names})
        for number in range(rng.randint(1, 3))
    )
    knows = rng.random() < 0.7
    acts = _acts(rng, len(documents), knows=knows)
    return Case(agent, reports, documents, knows, acts, rng.random() < 0.2, rng.randrange(2**31))


def _values(rng: Random, first: bool) -> tuple[str, int, int]:
    cpu = rng.choice((0, 1, 49, 51, rng.randrange(40_000), rng.randrange(40_000)))
    return (
        rng.choice(("enabled", "enabled", "drain", "disabled", "test")),
        cpu + first,
        rng.randrange(cpu + 1),
    )


def _acts(rng: Random, documents: int, *, knows: bool) -> tuple[Act, ...]:
    """Let all questions, or all but one, be answered well: so rounds come far; by one document, or not."""
    one, faulty = rng.randrange(documents), rng.randrange(5)
    # what can close sites is tried more often
    ways = [*(way for way in ANSWERS if way != LEFT_OUT), *([LEFT_OUT] * 6 if knows else ())]
    acts: list[Act] = []
    for number in range(3):
        way = rng.choice(ways) if number == faulty or rng.random() < 0.05 else "good"
        chosen = one if rng.random() < 0.8 else rng.randrange(documents)
        before = rng.choice(("restart", "late", "early")) if rng.random() < 0.06 else ""
        if way == LEFT_OUT:  # a bridge that is born anew knows no site
            before, acts = "", [structs.replace(act, before="") for act in acts]
        acts.append(Act(way, chosen, before))
    return tuple(acts)


class Poisoned:
    """The upstream of the case whose turn it is."""

    def __init__(self, cases: list[Case]) -> None:
        self.cases = cases
        self.number, self.asked = -1, 0
        """Of the case, and how often its upstream was asked."""
        self.clock = NOW

    def begin(self, number: int) -> Case:
        """Take up a case."""
        self.number, self.asked, self.clock = number, 0, NOW
        return self.cases[number]

    def said(self, metric: str) -> bytes | None:
        """Answer the next question of the case."""
        case = self.cases[self.number]
        act = case.acts[min(self.asked, 2)]
        rng = Random(case.seed + self.asked)
        self.asked += 1
        return ANSWERS[act.answer](Good(case.documents[act.document], metric, rng))

    async def upstream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the bridge, or of an agent."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(length_of(head))
            direct = re.match(rb"POST /api/datasources/proxy/(\d+)/", head)
            if direct is not None and int(direct[1]) != self.number:
                self.begin(int(direct[1]))
            said = self.said("sts15min" if b"sts15min" in body else "scap15min")
            if said is None:
                await reader.read()
            else:
                writer.write(said)
                await writer.drain()
        await closed(writer)


class CaseDoor(Door):
    """The bridge's door, behind which stands each case's own bridge."""

    def __init__(self, poisoned: Poisoned, url: str) -> None:
        self._poisoned = poisoned
        self._questions = 0
        self._url = url
        super().__init__("agent0", Path("/nonexistent"), self._born(None), Outcomes())

    def admits(self, authorization: str) -> bool:
        """Take the number of the case from its token, and let happen what happens before the question."""
        number = int(authorization.removeprefix("Bearer "))
        case = self._poisoned.cases[number]
        if number != self._poisoned.number:
            self._poisoned.begin(number)
            self._questions = 0
            self.answering = self._born(case.documents[0] if case.knows else None)
        before = case.acts[min(self._questions, 2)].before
        self._questions += 1
        if before == "restart":
            self.answering = self._born(None)
        self._poisoned.clock += {"late": 2 * DAY, "early": -2 * DAY}.get(before, 0.0)
        return True

    def _born(self, knows: Control | None) -> Answering:
        acts = self._poisoned.cases[self._poisoned.number].acts
        seconds = IMPATIENT if any(act.answer == HANGS for act in acts) else PATIENT
        node = cast("Follower[Node]", Unfollowed())
        rcmon = Rcmon(self._url, "agent0", seconds)
        made = Answering(rcmon, node, seconds, clock=lambda: self._poisoned.clock)
        if knows is not None:
            made._chain = chain_that_knows(knows)
        return made


class NoCertificate:
    """None is needed: the upstream here speaks plain HTTP."""

    context = None

    def check(self, now: float) -> None:
        """Never end."""


class Unfollowed:
    """Files that never change."""

    value = NoCertificate()

    def refresh(self) -> None:
        """Find nothing new."""


def chain_that_knows(one: Control) -> Chain:
    """Make what is remembered after a good cycle."""
    chain = Chain()
    for metric in ("sts15min", "scap15min"):
        chain.begin(metric)
        chain.take(one.version, read(metric, shaped(one.rows(metric)), one.time))
    return chain


class Killing:
    """What stands before the bridge and lets it die at some octet of what it says, as kill -9 does."""

    def __init__(self, port: int, rng: Random) -> None:
        self._port, self._rng = port, rng
        self.cut = 0

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass a connection on, so far."""
        left = self._rng.choice((10**6, 10**6, self._rng.randrange(6000), self._rng.randrange(900, 1800)))
        from_bridge, to_bridge = await asyncio.open_connection("127.0.0.1", self._port)
        asking = asyncio.create_task(self._pass(reader, to_bridge))
        with contextlib.suppress(OSError):
            while left > 0 and (said := await from_bridge.read(left)):
                left -= len(said)
                writer.write(said)
                await writer.drain()
        self.cut += left == 0
        asking.cancel()
        to_bridge.transport.abort()
        await closed(to_bridge)
        await closed(writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while said := await reader.read(65536):
                writer.write(said)
                await writer.drain()
        writer.close()


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection, and see it closed."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


class Addresses(Struct, frozen=True):
    """Where an agent can ask."""

    bridge: str
    killed: str
    """The bridge, which is killed now and then."""
    upstream: str
    """Without any bridge."""
    killing: Killing


@contextmanager
def poisoned(cases: list[Case]) -> Iterator[Addresses]:
    """Run upstream and bridge."""
    ready = threading.Event()
    found: list[Addresses] = []
    over: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        ending = asyncio.Event()
        over.append((asyncio.get_running_loop(), ending))
        state = Poisoned(cases)
        upstream = await asyncio.start_server(state.upstream, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{port_of(upstream)}"
        bridge = server(CaseDoor(state, url), LoopbackTLS("127.0.0.1", NOW))
        sockets = bind_sockets(0, "127.0.0.1")
        bridge.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        killing = Killing(port, Random(5))
        before = await asyncio.start_server(killing.connection, "127.0.0.1", 0)
        killed = f"https://127.0.0.1:{port_of(before)}/"
        found.append(Addresses(f"https://127.0.0.1:{port}/", killed, url, killing))
        ready.set()
        await ending.wait()
        bridge.stop()
        await bridge.close_all_connections()
        upstream.close()
        before.close()
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left, timeout=300)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(60)
    try:
        yield found[0]
    finally:
        loop, ending = over[0]
        loop.call_soon_threadsafe(ending.set)
        thread.join()


def port_of(listening: asyncio.Server) -> int:
    return int(listening.sockets[0].getsockname()[1])
