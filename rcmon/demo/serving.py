"""The demo's upstreams on a loopback socket: plain HTTP, for the demo's own collector alone."""

import os
import re
import socket
from collections.abc import Mapping

from msgspec import Struct
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

_METRIC = re.compile(rb"metadata\.monit_hdfs_path: (\w+)")

DATASET = "demo"
"""What the site status board is called in its path."""
BOARD = f"/api/datasources/proxy/{DATASET}/_msearch"
CATALOGUE = "/api/cms/site/query/"
DATABASE = "/couchdb/wmstats"
STATS = f"{DATABASE}/_design/WMStats/_view/agentInfo"


class Documents:
    """What is answered, by path and, where one path has several answers, what is asked; swapped whole."""

    def __init__(self) -> None:
        self.current: Mapping[tuple[str, str], bytes] = {}


class _Handler(RequestHandler):
    def initialize(self, documents: Documents) -> None:
        self._documents = documents

    def get(self) -> None:
        self._answer(self.get_query_argument("preset", ""))

    def post(self) -> None:
        found = _METRIC.search(self.request.body)
        self._answer(found[1].decode() if found else "")

    def _answer(self, what: str) -> None:
        body = self._documents.current.get((self.request.path, what))
        if body is None:  # before the first step
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
