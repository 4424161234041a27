"""The demo's upstreams on a loopback socket: plain HTTP, for the demo's own collector alone."""

import asyncio
import os
import re
import socket
import time
from collections.abc import Mapping

from msgspec import Struct
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

_METRIC = re.compile(rb"metadata\.monit_hdfs_path: (\w+)")

DATASET = "demo"
"""What the site status board is called in its path."""
BOARD = f"/api/datasources/proxy/{DATASET}/_msearch"
CATALOGUE = "/api/cms/site/query/"
SECOND = "second"
"""What a second upstream of a kind is called: its dataset, or the folder that it is in."""
SECOND_BOARD = f"/api/datasources/proxy/{SECOND}/_msearch"
SECOND_CATALOGUE = f"/{SECOND}{CATALOGUE}"
DATABASE = "/couchdb/wmstats"
STATS = f"{DATABASE}/_design/WMStats/_view/agentInfo"


FIRST_WITHIN = 30.0
"""Seconds that a question waits for the simulation's first step: so long nobody knows what to say."""
_LOOKS = 0.05
"""Seconds between looks whether it is there."""


class Documents:
    """What is answered, by path and, where one path has several answers, what is asked; swapped whole."""

    def __init__(self) -> None:
        self.current: Mapping[tuple[str, str], bytes] = {}

    async def get(self, path: str, what: str) -> bytes | None:
        """Give an answer, once the first are there; None: there is none."""
        until = time.monotonic() + FIRST_WITHIN
        while not self.current and time.monotonic() < until:  # noqa: ASYNC110 - a thread makes it true
            await asyncio.sleep(_LOOKS)
        return self.current.get((path, what))


class _Handler(RequestHandler):
    def initialize(self, documents: Documents) -> None:
        self._documents = documents

    async def get(self) -> None:
        await self._answer(self.get_query_argument("preset", ""))

    async def post(self) -> None:
        found = _METRIC.search(self.request.body)
        await self._answer(found[1].decode() if found else "")

    async def _answer(self, what: str) -> None:
        body = await self._documents.get(self.request.path, what)
        if body is None:  # it is closed, or the simulation does not get ahead
            self.set_status(503)
            return
        self.set_header("Content-Type", "application/json")
        self.write(body)


class Listener(Struct, frozen=True):
    """A listening socket that outlives a fork."""

    descriptor: int
    port: int


def listen() -> Listener:
    """Bind a free port of the loopback address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=16)
    port = listener.getsockname()[1]
    return Listener(listener.detach(), port)


def serve(descriptor: int, documents: Documents) -> HTTPServer:
    """Serve on the running loop; the server's `stop` ends it, and leaves the descriptor open."""
    listener = socket.socket(fileno=os.dup(descriptor))
    server = HTTPServer(
        Application(
            [(r"/.*", _Handler, {"documents": documents})],
            compress_response=True,
            log_function=lambda _: None,
        )
    )
    listener.setblocking(False)  # noqa: FBT003 - the library's own
    server.add_sockets([listener])
    return server
