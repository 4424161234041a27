"""The running service: its store prepared, its sockets bound, its processes started."""

import asyncio
import functools
import os
import resource
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.engine import URL

from rcmon import log
from rcmon.checking import HEALTH_SOCKET, Checked, web_processes
from rcmon.collector import process as collecting
from rcmon.config import Config
from rcmon.demo.moving import keep_moving
from rcmon.demo.people import acting
from rcmon.errors import ConfigError
from rcmon.process import (
    Ceilings,
    ChildContext,
    ChildSpec,
    Chore,
    Limits,
    Main,
    Supervisor,
    bind_sockets,
    given_sockets,
    listening_at,
    run_async,
    run_single,
)
from rcmon.process.arenas import share_arenas
from rcmon.process.privacy import forbid_dumps
from rcmon.process.scoreboard import Scoreboard
from rcmon.store import Store
from rcmon.store.about import DEMO, PRODUCTION
from rcmon.store.pruning import Ages
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.tally import Tally
from rcmon.web import worker
from rcmon.web.about import About
from rcmon.web.app import handbook, routes
from rcmon.web.page.assets import Assets
from rcmon.web.page.pages import Pages
from rcmon.web.transport.accesslog import Style
from rcmon.web.transport.guard import ClientLimits

_COLLECTOR, _DEMO = "collector", "demo"


class Service:
    """The processes of one service. `write_log` writes log lines, and their time before them."""

    def __init__(self, checked: Checked, write_log: Callable[[Sequence[str]], None]) -> None:
        self._checked, self._config, self._write_log = checked, checked.config, write_log
        workers = web_processes(self._config)
        self._web = tuple(f"web-{number}" for number in range(workers))
        self._owner = PRODUCTION if checked.demo is None else DEMO
        self._moving = checked.demo is not None and checked.demo.shape is None
        others = (_COLLECTOR, _DEMO) if self._moving else (_COLLECTOR,)
        self._layout = Layout({"route": routes()})
        self._names = self._web if workers == 1 else (*self._web, *others)
        self._scoreboard = Scoreboard(len(self._names), self._layout.size)
        place = f"{socket.gethostname()}:{Path(self._config.state_dir).resolve()}"
        self._replica = self._config.replica_name or place

    def run(self, announce: Callable[[int], None]) -> int:
        """Run until TERM or INT and give the exit code. `announce` gets the port when all are ready."""
        state = Path(self._config.state_dir)
        make_state_dir(state)
        raise_file_limit()
        forbid_dumps()
        share_arenas()
        sockets = given_sockets() or bind_sockets(self._config.host, self._config.port)
        on_ready = functools.partial(announce, sockets[0].getsockname()[1])
        with listening_at(state / HEALTH_SOCKET) as local:
            return self._run([*sockets, *local], on_ready)

    def _run(self, sockets: Sequence[socket.socket], on_ready: Callable[[], None]) -> int:
        grace = self._config.shutdown_grace
        if len(self._web) == 1:
            self._prepare()
            slot = self._scoreboard.slot(0)
            log.tell_trouble(functools.partial(slot.say, self._names[0], "log"))
            return run_single(self._mains(), slot, grace=grace, sockets=sockets, on_ready=on_ready)
        return Supervisor(
            self._scoreboard,
            [
                ChildSpec(
                    name, functools.partial(_run_child, self._layout, main), slot, listens=name in self._web
                )
                for slot, (name, main) in enumerate(self._mains().items())
            ],
            sockets=sockets,
            limits=Limits(grace=grace, silence=self._config.hang_timeout, ceilings=ceilings(self._config)),
            before=("prepare the store", self._prepare),
            meanwhile=Chore("follow the files that change", self._follow_files),
            on_ready=on_ready,
        ).run()

    def _follow_files(self, asked: bool) -> None:  # noqa: FBT001 - as a chore is called
        """Keep up with the files, so that whoever is started again begins with what is in use."""
        with log.silent():  # whoever uses them says what becomes of them
            self._checked.trust.follow(again=asked)
            self._checked.sources.refresh(again=asked)
            self._checked.control.refresh(again=asked)

    def _mains(self) -> dict[str, Main]:
        mains: dict[str, Main] = dict.fromkeys(
            self._web, functools.partial(worker.serve, self._web_settings())
        )
        mains[_COLLECTOR] = self._collect
        if self._moving:
            mains[_DEMO] = self._move
        return mains

    def _prepare(self) -> None:
        """Make or upgrade the store, and the demo's databases."""
        asyncio.run(_migrate(self._checked.store_url, self._owner))
        if self._checked.demo is not None:
            self._checked.demo.build()

    def _web_settings(self) -> worker.WebSettings:
        config = self._config
        about = About(
            processes=self._names,
            replica=self._replica,
            cycle_interval=config.cycle_interval,
            replicas=tuple(each.strip() for each in (config.metrics_replicas or "").split(",") if each),
            store_kind=self._checked.store_url.get_backend_name(),
        )
        return worker.WebSettings(
            about=about,
            store_url=self._checked.store_url,
            trust=self._checked.trust,
            control=self._checked.control,
            scoreboard=self._scoreboard,
            layout=self._layout,
            limits=web_limits(config),
            style=Style(config.log_format, config.log_access, config.log_slow, config.log_access_sample),
            write_log=self._write_log,
            short_way=config.short_way,
            pages=Pages(Assets()),
            handbook=handbook(about),
            hosts=(config.host, socket.gethostname(), *config.allowed_hosts.split(",")),
        )

    async def _collect(self, context: ChildContext) -> None:
        config = self._config
        await collecting.collect(
            collecting.Settings(
                store_url=self._checked.store_url,
                owner=self._owner,
                interval=config.cycle_interval,
                budget=config.cycle_budget,
                stale_after=config.stale_after,
                raise_after=config.finding_raise_after,
                clear_after=config.finding_clear_after,
                ages=Ages(config.history_retention, config.history_raw_retention, config.journal_retention),
                holder=self._replica,
                sources=self._checked.sources,
                control=self._checked.control,
                tally=Tally(self._layout, context.slot.cells),
                task_zeros=config.metrics_task_zeros,
            ),
            context,
        )

    async def _move(self, context: ChildContext) -> None:
        simulation = self._checked.demo.simulation() if self._checked.demo else None
        upstream = self._checked.demo.upstream if self._checked.demo else None
        if simulation is not None and upstream is not None:
            async with acting(self._checked.store_url, self._owner):
                await keep_moving(simulation, upstream, context.stop, context.ready)


def _run_child(layout: Layout, main: Main, context: ChildContext) -> int:
    log.name_process(context.name)
    log.tell_trouble(functools.partial(context.trouble, "log"))
    Tally(layout, context.slot.cells).begin()
    return run_async(main, context)


def ceilings(config: Config) -> Ceilings:
    """Take from the configuration what a web process may take until it is replaced."""
    files = config.recycle_files
    return Ceilings(config.recycle_memory, files and config.max_connections + files)


def web_limits(config: Config) -> ClientLimits:
    """Take the limits of a web process from the configuration."""
    return ClientLimits(
        connections=config.max_connections,
        per_address=config.max_connections_per_address,
        per_identity=config.max_connections_per_identity,
        handshakes=config.max_handshakes,
        request_rate=config.max_request_rate_per_identity,
        body_memory=config.max_body_memory,
        body_memory_per_identity=config.max_body_memory_per_identity,
        streams=config.max_streams,
        streams_per_identity=config.max_streams_per_identity,
        handshake_timeout=config.tls_handshake_timeout,
        request_timeout=config.request_timeout,
        idle_timeout=config.idle_timeout,
        write_timeout=config.write_timeout,
    )


def make_state_dir(path: Path) -> None:
    """Make the state directory, for us alone; raises ConfigError where that cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--state-dir: {str(path)!r} cannot be made: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigError(f"--state-dir: {str(path)!r} cannot be written; name a directory of your own")


def raise_file_limit() -> None:
    """Let each process open as many files as the system allows: every connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _migrate(url: URL, owner: str) -> None:
    store = Store(url, owner)
    try:
        await store.migrate()
    finally:
        await store.close()
