"""HTTP towards the agent: one path, one method, with the token or not at all."""

import asyncio
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from rcmon.bridge.answering import Answering
from rcmon.bridge.doubt import DoubtError
from rcmon.bridge.loopback import LoopbackTLS
from rcmon.bridge.outcomes import Outcomes
from rcmon.bridge.token import is_sent, read_token

PATH = r"/api/datasources/proxy/([^/]+)/_msearch"
_LARGEST = 64 * 1024
"""Octets of a question; an agent's has 600."""
_SECONDS = 10.0
"""That a question may take to arrive."""
_UNAUTHORIZED, _NOT_FOUND, _UNAVAILABLE = 401, 404, 503


class Door:
    """Whom the bridge answers, and how many questions it has in hand."""

    def __init__(self, agent: str, token_file: Path, answering: Answering, outcomes: Outcomes) -> None:
        self.agent = agent
        self.answering, self.outcomes = answering, outcomes
        self._token_file = token_file
        self._in_hand: set[object] = set()
        self.idle = asyncio.Event()
        self.idle.set()

    def take(self, question: object) -> None:
        """Have a question in hand."""
        self._in_hand.add(question)
        self.idle.clear()

    def give(self, question: object) -> None:
        """Have done with a question."""
        self._in_hand.discard(question)
        if not self._in_hand:
            self.idle.set()

    def admits(self, authorization: str) -> bool:
        """Tell whether a request has the token. Raises DoubtError where there is none to compare with."""
        return is_sent(read_token(self._token_file), authorization)


class _Asked(RequestHandler):
    def initialize(self, door: Door) -> None:
        self._door = door

    def prepare(self) -> None:
        """Be in hand from here on."""
        self._door.take(self)

    def on_finish(self) -> None:
        """Be in hand no longer."""
        self._door.give(self)

    async def post(self, dataset: str) -> None:
        """Answer an agent's search."""
        outcomes = self._door.outcomes
        try:
            if not self._door.admits(self.request.headers.get("Authorization", "")):
                outcomes.refused("token", "a question came without the token, or with another")
                self._say(_UNAUTHORIZED, "the token is not the one of --token-file")
                return
            if dataset != self._door.agent:
                text = f"grafanaSSB of the agent is {dataset!r:.80}; right is {self._door.agent!r}"
                outcomes.refused("dataset", text)
                self._say(_NOT_FOUND, text)
                return
            body, text = await self._door.answering.answer(self.request.body)
        except DoubtError as error:
            outcomes.doubted(error.kind, str(error))
            self._say(_UNAVAILABLE, str(error))
            return
        outcomes.answered(text)
        self.set_header("Content-Type", "application/json")
        self.finish(body)

    def write_error(self, status_code: int, **_: object) -> None:
        """Say in a line what a request was refused for."""
        self._say(status_code, self._reason)

    def _say(self, status: int, text: str) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(" ".join(text.split()) + "\n")


def server(door: Door, tls: LoopbackTLS) -> HTTPServer:
    """Make the server; it listens nowhere yet."""
    application = Application(
        [(PATH, _Asked, {"door": door})], compress_response=True, log_function=lambda _: None
    )
    return HTTPServer(
        application,
        ssl_options=tls.context,
        decompress_request=True,
        max_body_size=_LARGEST,
        max_buffer_size=2 * _LARGEST,
        max_header_size=16 * 1024,
        body_timeout=_SECONDS,
        idle_connection_timeout=_SECONDS,
    )
