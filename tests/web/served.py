"""Handlers of every kind, for tests of what stands between a socket and a handler."""

import hashlib
import random
from collections.abc import Awaitable

from rcmon.access.roles import Role
from rcmon.web.answers.ready import Fresh, Ready
from rcmon.web.auth import requires
from rcmon.web.base import Handler

LARGE = random.Random(1).randbytes(3_000_000)


class SmallHandler(Handler):
    route = "/small"
    immediate = True
    ready = Ready(Fresh(b'{"small": true}\n'), "application/json")

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        return self.send(self.ready)


class MiddleHandler(SmallHandler):
    """Worth compressing, and small enough for one write."""

    route = "/middle"
    ready = Ready(Fresh(b"all work and no play " * 500), "text/plain")

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        return self.send(self.ready)


class LargeHandler(Handler):
    route = "/large"
    immediate = True
    ready = Ready(Fresh(LARGE), "application/octet-stream")

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        return self.send(self.ready)


class AdminHandler(Handler):
    route = "/admin"
    immediate = True

    @requires(Role.ADMIN)
    def get(self) -> Awaitable[None] | None:
        return self.send(SmallHandler.ready)


class FailingHandler(Handler):
    """Fails behind its answer, which must not leave then."""

    route = "/failing"
    immediate = True

    @requires(Role.READER)
    def get(self) -> None:
        if self.short:
            self.send(SmallHandler.ready)
        raise ValueError("meant to fail")


class ReticentHandler(Handler):
    """Has nothing ready for the short way."""

    route = "/reticent"
    immediate = True

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        return None if self.short else self.send(SmallHandler.ready)


class StillbornHandler(Handler):
    """Cannot even begin."""

    route = "/stillborn"

    def initialize(self) -> None:
        raise ValueError("meant to fail")

    @requires(Role.READER)
    def get(self) -> None:
        """Never run."""


class SlowHandler(Handler):
    """Answers when the test lets it."""

    route = "/slow"

    @requires(Role.READER)
    async def get(self) -> None:
        self.application.settings["began"].set()
        await self.application.settings["go_on"].wait()
        self.write(b"slow\n")


class EchoHandler(Handler):
    route = "/echo"

    @requires(Role.READER)
    def post(self) -> None:
        self.write(f"{len(self.request.body)} {hashlib.sha256(self.request.body).hexdigest()}\n")


TABLE = (
    SmallHandler, MiddleHandler, LargeHandler, AdminHandler, FailingHandler, ReticentHandler,
    StillbornHandler, SlowHandler, EchoHandler,
)  # fmt: skip
