"""A web worker: a server over the shared sockets, its board, and what it does every second."""

import asyncio
import functools
import platform
import sys
import time
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct, field
from sqlalchemy.engine import URL

from rcmon.access.trust import Trust
from rcmon.errors import writable
from rcmon.files.follower import Follower
from rcmon.process import ChildContext
from rcmon.process.looks import Looks
from rcmon.process.pause import happens
from rcmon.process.scoreboard import Scoreboard
from rcmon.steering import ControlSettings, follow_control
from rcmon.store import Store
from rcmon.store.reader import StoredSnapshots
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.reloading import ReloadReport
from rcmon.telemetry.tally import Tally
from rcmon.web.about import About
from rcmon.web.api.status import StatusReport
from rcmon.web.app import TABLE, Table, make_app, short_routes
from rcmon.web.board import Board
from rcmon.web.bounds import stream_limits, tell_bounds
from rcmon.web.page.pages import Pages
from rcmon.web.probe import Probe
from rcmon.web.recording import RolesRecord
from rcmon.web.services import Handbook, Parts, tell_streams
from rcmon.web.succession import refuse_older
from rcmon.web.telemetry.totals import Totals
from rcmon.web.transport.accesslog import AccessLog, Style
from rcmon.web.transport.guard import within_files
from rcmon.web.transport.hosts import Hosts
from rcmon.web.transport.server import ClientLimits, Server

_TICK = 1.0
_TRUST_CHECK = 2.0
"""Seconds until a change of certificates, lists or roles is seen: well within the five that are promised."""


_CLOSING = 1.0
"""Seconds of the drain time that are left for closing."""


class WebSettings(Struct, frozen=True, kw_only=True):
    """What all web workers of a service share; made before the fork."""

    about: About
    store_url: URL
    trust: Trust
    scoreboard: Scoreboard
    layout: Layout
    limits: ClientLimits
    style: Style
    write_log: Callable[[Sequence[str]], None]
    short_way: bool
    pages: Pages
    handbook: Handbook
    hosts: Sequence[str] = ()
    """Names of ours beside those of the certificate."""
    control: Follower[ControlSettings] = field(default_factory=lambda: follow_control(None))
    """How far agents are steered."""


SWITCH = 0.0005
"""Seconds after which a thread that unpacks history lets the loop's go on. Python's own 5 ms, at each of
the hand-overs between a database's thread and the loop's, would delay a new snapshot by 0.1 s and more."""


async def serve(settings: WebSettings, context: ChildContext) -> None:
    """Serve until `context.stop` is set, then drain. What fails for good ends the worker, which restarts."""
    sys.setswitchinterval(SWITCH)
    store = Store(settings.store_url)
    board = Board(StoredSnapshots(store))
    looks = Looks(context.trouble)
    await board.look(looks)
    server = make_server(settings, board, store, context)
    probe = _make_probe(settings, board, context)
    hurry = asyncio.Event()
    context.on_reload(hurry.set)
    report = ReloadReport(server.state.tally, context.trouble)
    try:
        # a restarted worker begins with what its parent read
        await _take_up(settings.trust, server, report)
        await _take_up_control(settings.control, report)
        refuse_older(settings.trust, settings.scoreboard)
        context.slot.mark(settings.trust.versions.marks())
        async with asyncio.TaskGroup() as group:
            lasting = [
                group.create_task(_tick(server)),
                group.create_task(board.watch(looks)),
                group.create_task(_follow(settings, server, report, hurry, context=context, looks=looks)),
            ]
            if context.name == settings.about.processes[0]:  # one of all workers is enough
                lasting.append(group.create_task(_record(settings.trust, store, looks)))
            server.add_sockets(context.sockets)
            await probe.start()
            context.ready(complete=False)
            lasting.append(group.create_task(_complete(board, context)))
            await context.stop.wait()
            await server.drain(max(0.0, context.drain_time - _CLOSING))
            for task in lasting:
                task.cancel()
    finally:
        probe.stop()
        server.stop()
        await server.close_all_connections()
        await store.close()


def make_server(
    settings: WebSettings,
    board: Board,
    store: Store,
    context: ChildContext,
    *,
    table: Table = TABLE,
    clock: Callable[[], float] = time.time,
) -> Server:
    """Build the server of one worker, of the resources of a table; it listens nowhere yet."""
    tally = Tally(settings.layout, context.slot.cells)
    limits = within_files(settings.limits)
    application = make_app(
        Parts(
            about=settings.about,
            board=board,
            store=store,
            totals=Totals(settings.layout, settings.scoreboard),
            scoreboard=settings.scoreboard,
            trust=settings.trust,
            pages=settings.pages,
            handbook=settings.handbook,
            clock=clock,
            control=settings.control,
            tally=tally,
            limits=limits,
            stop=context.stop,
        ),
        table,
    )
    return Server(
        application,
        gate=settings.trust.gate,
        tally=tally,
        access_log=AccessLog(settings.write_log, context.name, settings.style),
        limits=limits,
        short_routes=short_routes(application.settings["services"], table) if settings.short_way else {},
        hosts=Hosts(settings.trust.host_names, settings.hosts),
        ssl_options=settings.trust.context,
    )


def _make_probe(settings: WebSettings, board: Board, context: ChildContext) -> Probe:
    """Make what tells this machine's probe how the service does."""
    totals = Totals(settings.layout, settings.scoreboard)
    status = StatusReport(
        settings.about,
        board,
        settings.scoreboard,
        settings.trust,
        streams=functools.partial(tell_streams, totals, stream_limits(settings.limits)),
        bounds=functools.partial(tell_bounds, totals, settings.limits),
        control=settings.control,
    )
    return Probe(context.local_sockets, lambda: msgspec.json.encode(status.now()))


async def _complete(board: Board, context: ChildContext) -> None:
    """Tell the parent when there is something to serve."""
    await board.arrived.wait()
    context.complete()


async def _tick(server: Server) -> None:
    while True:
        server.tick()
        await asyncio.sleep(_TICK)


async def _follow(
    settings: WebSettings,
    server: Server,
    report: ReloadReport,
    hurry: asyncio.Event,
    *,
    context: ChildContext,
    looks: Looks,
) -> None:
    """Take up the files that are followed, changed or refused: every few seconds, and at once on HUP."""

    async def take_up(*, again: bool) -> None:
        await _take_up(settings.trust, server, report, again=again)
        context.slot.mark(settings.trust.versions.marks())

    while True:
        asked = await happens(hurry, _TRUST_CHECK)
        hurry.clear()
        await looks.take("take up who is let in", functools.partial(take_up, again=asked))
        take_up_control = functools.partial(_take_up_control, settings.control, report, again=asked)
        await looks.take("take up the control file", take_up_control)


async def _record(trust: Trust, store: Store, looks: Looks) -> None:
    """Keep the journal told of the roles file."""
    subject = writable(f"{platform.node()}:{trust.roles_file.absolute()}")
    record = RolesRecord(trust, store, subject, time.time)
    while True:
        await looks.take("keep the journal told of the roles file", record.look)
        await asyncio.sleep(_TRUST_CHECK)


async def _take_up(trust: Trust, server: Server, report: ReloadReport, *, again: bool = False) -> None:
    report.tell(await trust.check(again=again), trust.troubles())
    server.ssl_options = trust.context


async def _take_up_control(
    control: Follower[ControlSettings], report: ReloadReport, *, again: bool = False
) -> None:
    taken_up = await asyncio.to_thread(control.refresh, again=again)
    reloads = control.reloads
    report.tell([] if taken_up is None else [(reloads.what, taken_up)], {reloads.what: reloads.reason})
