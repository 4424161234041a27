"""Handlers of every kind, for tests of what stands between a socket and a handler."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator

from tornado.web import RequestHandler

from rcmon.access.roles import Role
from rcmon.web.answers.answer import Streamed
from rcmon.web.answers.ready import Fresh, Ready
from rcmon.web.auth import requires
from rcmon.web.base import Handler

ECHOED = 1 << 20
"""Bytes that are taken."""
LARGE = random.Random(1).randbytes(3_000_000)


class SmallHandler(Handler):
    route = "/small"
    immediate = True
    ready = Ready(Fresh(b'{"small": true}\n'), "application/json")

    @requires(Role.READER)
    def get(self) -> Ready:
        return self.ready


class MiddleHandler(SmallHandler):
    """Worth compressing, and small enough for one write."""

    route = "/middle"
    ready = Ready(Fresh(b"all work and no play " * 500), "text/plain")

    @requires(Role.READER)
    def get(self) -> Ready:
        return self.ready


class LargeHandler(Handler):
    route = "/large"
    immediate = True
    ready = Ready(Fresh(LARGE), "application/octet-stream")

    @requires(Role.READER)
    def get(self) -> Ready:
        return self.ready


class AdminHandler(Handler):
    route = "/admin"
    immediate = True

    @requires(Role.ADMIN)
    def get(self) -> Ready:
        return SmallHandler.ready


class FailingHandler(Handler):
    """Fails: an error of its own, on either way."""

    route = "/failing"
    immediate = True

    @requires(Role.READER)
    def get(self) -> None:
        raise ValueError("meant to fail")


class MistakenHandler(Handler):
    """Takes itself for Tornado's."""

    route = "/mistaken"
    immediate = True

    @requires(Role.READER)
    def get(self) -> Ready:
        self.set_header("Allow", "GET")  # type: ignore[attr-defined]
        return SmallHandler.ready


class ReticentHandler(Handler):
    """Has nothing ready: its bytes are computed while they leave."""

    route = "/reticent"
    immediate = True

    @requires(Role.READER)
    def get(self) -> Streamed:
        return Streamed(self._pieces(), "text/plain", "reticent")

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield b"well, "
        yield b"yes\n"


class Stillborn(RequestHandler):
    """Cannot even begin; it is nobody's handler."""

    def initialize(self) -> None:
        raise ValueError("meant to fail")


class Pause:
    """Says when a handler began, and when it may go on."""

    def __init__(self) -> None:
        self.began, self.go_on = asyncio.Event(), asyncio.Event()


def slow(pause: Pause) -> type[Handler]:
    """Make a handler that answers when the test lets it."""

    class SlowHandler(Handler):
        route = "/slow"

        @requires(Role.READER)
        async def get(self) -> Ready:
            go_on = pause.go_on
            pause.began.set()
            await go_on.wait()
            return Ready(Fresh(b"slow\n"), "text/plain")

    return SlowHandler


class EchoHandler(Handler):
    route = "/echo"
    max_body = ECHOED

    @requires(Role.READER)
    def post(self) -> Ready:
        digest = hashlib.sha256(self.request.body).hexdigest()
        return Ready(Fresh(f"{len(self.request.body)} {digest}\n".encode()), "text/plain")


TABLE = (
    SmallHandler, MiddleHandler, LargeHandler, AdminHandler, FailingHandler, MistakenHandler, ReticentHandler,
    EchoHandler,
)  # fmt: skip
