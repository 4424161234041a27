"""A small service under the supervisor, for tests: a collector, web workers, and ways to make them fail."""

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec import to_builtins
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from rcmon import errors
from rcmon.process import (
    ChildContext,
    ChildSpec,
    Chore,
    Limits,
    Main,
    Supervisor,
    bind_sockets,
    leave,
    run_async,
    run_single,
)
from rcmon.process.scoreboard import Scoreboard
from rcmon.process.sockets import address_of

EXTRAS = (
    "fail",
    "never_ready",
    "quit_at_once",
    "complain",
    "wait_for_data",
    "complain_and_fail",
    "complain_and_hang",
    "complain_and_exit",
)
REQUESTS, RELOADS, CELLS = 0, 1, 2


async def come_true(condition: Callable[[], bool]) -> None:
    """Wait without an end."""
    while not condition():
        await asyncio.sleep(0.02)


class Handler(RequestHandler):
    def initialize(self, context: ChildContext, board: Scoreboard, release: Path, chores: list[bool]) -> None:
        self.context, self.chores = context, chores
        self.board = board
        self.release = release

    def prepare(self) -> None:
        self.application.settings["in_flight"].add(self)

    def on_finish(self) -> None:
        self.application.settings["in_flight"].discard(self)


class Count(Handler):
    """Count one request and say who answered."""

    def get(self) -> None:
        self.context.slot.cells[REQUESTS] += 1
        self.write({"pid": os.getpid()})


class Board(Handler):
    """Show all slots."""

    def get(self) -> None:
        figures = (
            "pid",
            "ready",
            "restarts",
            "failures",
            "started",
            "last_beat",
            "cpu_seconds",
            "resident_memory_bytes",
            "open_fds",
        )
        self.write(
            {
                "started": self.board.started,
                "totals": self.board.totals(),
                "cpu_seconds": self.board.cpu_seconds(),
                "slots": [
                    {name: getattr(slot, name) for name in figures} | {"cells": list(slot.cells)}
                    for slot in self.board.slots
                ],
                "troubles": to_builtins(self.board.troubles()),
                "endings": [to_builtins(slot.last_ending) for slot in self.board.slots],
                "chores": self.chores,
                "how": [str(slot.last_ending) for slot in self.board.slots],
            }
        )


class Hold(Handler):
    """Begin an answer and end it when the release file is there."""

    async def get(self) -> None:
        self.write("begun,")
        await self.flush()
        await come_true(self.release.exists)
        self.write("ended")


class Hang(Handler):
    """Never give the loop back."""

    def get(self) -> None:
        logging.getLogger("service").info("hanging")
        while True:
            pass


async def web(board: Scoreboard, options: argparse.Namespace, context: ChildContext) -> None:
    """Serve until stopped, then until no request is in flight."""
    in_flight: set[RequestHandler] = set()
    fresh = {"context": context, "board": board, "release": options.release, "chores": options.chores}
    routes = [("/", Count), ("/board", Board), ("/hold", Hold), ("/hang", Hang)]
    application = Application([(path, handler, fresh) for path, handler in routes], in_flight=in_flight)
    server = HTTPServer(application)
    server.add_sockets(context.sockets)
    count_reloads(context)
    context.ready()
    await context.stop.wait()
    server.stop()
    await come_true(lambda: not in_flight)


async def collect(context: ChildContext) -> None:
    """Do nothing but live."""
    count_reloads(context)
    context.ready()
    await context.stop.wait()


async def fail(context: ChildContext) -> None:
    """Fail while it starts."""
    raise ValueError("made to fail")


async def never_ready(context: ChildContext) -> None:
    """Beat, and never become ready."""
    await asyncio.Event().wait()


async def wait_for_data(context: ChildContext) -> None:
    """Be ready, but lack something until the second HUP; then tell what is done."""
    told: list[str] = []

    def reload() -> None:
        told.append("reload")
        if told == ["reload"]:
            logging.getLogger("service").info("first reload")
            return
        context.trouble("crl", "one is old")
        context.doing("served 7 of 7")
        context.complete()

    context.on_reload(reload)
    context.ready(complete=False)
    await context.stop.wait()


async def complain(context: ChildContext) -> None:
    """Be in trouble, and live; at the first HUP say that it is over."""
    context.trouble("store", "disk is full")
    context.on_reload(lambda: context.trouble("store", None))
    context.ready()
    await context.stop.wait()


async def complain_and_fail(context: ChildContext) -> None:
    """Be in trouble, and end by an error of several lines inside a group."""
    context.trouble("store", "disk is full")
    async with asyncio.TaskGroup() as group:
        group.create_task(fail(context))


async def complain_and_hang(context: ChildContext) -> None:
    """Be in trouble, and never give the loop back."""
    context.trouble("crl", "one that takes for ever")
    context.ready()
    await asyncio.sleep(0)
    while True:
        pass


def complain_and_exit(context: ChildContext) -> int:
    """Be in trouble, and leave with a code of its own."""
    context.trouble("render", "made to exit")
    return 7


def quit_at_once(context: ChildContext) -> int:
    """Leave well, though nobody asked."""
    context.ready()
    return 0


def count_reloads(context: ChildContext) -> None:
    def count() -> None:
        context.slot.cells[RELOADS] += 1

    context.on_reload(count)


def make_step(kind: str) -> Callable[[], None]:
    """A step before the start that ends as `kind` says."""

    async def step() -> None:
        await asyncio.to_thread(time.sleep, 0)
        if kind == "hang":
            await asyncio.Event().wait()
        if kind == "crash":
            raise ValueError("made to crash")
        if kind == "exit":
            os._exit(7)
        if kind != "ok":
            raise getattr(errors, kind)(f"{kind}: made to fail")

    return lambda: asyncio.run(step())


def note_chore(chores: list[bool], asked: bool) -> None:
    """Note for children to come that it was done, and fail the first time."""
    chores.append(asked)
    if len(chores) == 1:
        raise ValueError("made to fail")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--single", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--grace", type=float, default=60)
    parser.add_argument("--silence", type=float, default=60)
    parser.add_argument("--start", type=float, default=60)
    parser.add_argument("--release", type=Path, default=Path("/nonexistent"))
    parser.add_argument("--extra", choices=EXTRAS)
    parser.add_argument("--step")
    parser.add_argument("--chore", action="store_true")
    parser.set_defaults(chores=[])
    return parser.parse_args()


def main() -> int:
    options = parse()
    logging.basicConfig(level=logging.DEBUG, format="%(process)d %(levelname)s %(message)s")
    board = Scoreboard(options.workers + 2, CELLS)
    sockets = bind_sockets("127.0.0.1", options.port)
    serve = partial(web, board, options)
    address = address_of(sockets[0])

    def say_ready() -> None:
        print(f"READY {address}", flush=True)

    if options.single:
        mains: dict[str, Main] = {"collector": collect, "web": serve}
        if options.extra:
            mains["extra"] = globals()[options.extra]
        leave(run_single(mains, board.slot(0), grace=options.grace, sockets=sockets, on_ready=say_ready))
    specs = [ChildSpec("collector", partial(run_async, collect), 0)] + [
        ChildSpec(f"web-{number}", partial(run_async, serve), 1 + number, listens=True)
        for number in range(options.workers)
    ]
    if options.extra:
        extra = globals()[options.extra]
        run = partial(run_async, extra) if asyncio.iscoroutinefunction(extra) else extra
        specs.append(ChildSpec("extra", run, options.workers + 1))
    supervisor = Supervisor(
        board,
        specs,
        sockets=sockets,
        limits=Limits(grace=options.grace, silence=options.silence, start=options.start),
        before=("migration", make_step(options.step)) if options.step else None,
        meanwhile=Chore("note it", partial(note_chore, options.chores)) if options.chore else None,
        on_ready=say_ready,
    )
    print(f"BOUND {address}", flush=True)
    try:
        return supervisor.run()
    except errors.RcmonError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 78


if __name__ == "__main__":
    sys.exit(main())
