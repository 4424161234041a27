"""The access log: one line a request, written within some hundredths of a second."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from msgspec import Struct

from rcmon.web.transport.exchange import Exchange

LOG = logging.getLogger("rcmon.web.transport.server")

_GATHERED = 0.01
"""Seconds in which lines are collected: each for itself would cost a third of an answer."""
_SERVER_ERROR = 500

Later = Callable[[float, Callable[[], None]], object]


class Style(Struct, frozen=True):
    """How the access log is written."""

    form: str = "text"
    """text or json."""
    mode: str = "all"
    """all, slow (only what takes at least `slow` seconds) or off."""
    slow: float = 1.0
    sample: int = 1
    """Of the successful requests every so-manieth is written."""


class AccessLog:
    """Writes who asked for what, by which program, and what became of it: one line a request.

    `write` takes lines that are finished but for their time, which it puts before them: when they are
    written, so that those of several processes stand in its order. `later` has something done after so many
    seconds, by default by the running event loop.
    Server errors are always written, unless the log is off.
    """

    def __init__(
        self,
        write: Callable[[Sequence[str]], object],
        process: str,
        style: Style,
        later: Later | None = None,
    ) -> None:
        self._write, self._sample, self._later = write, style.sample, later or _later
        self._off = style.mode == "off"
        self._slow = style.slow if style.mode == "slow" else 0.0
        self._lines: list[str] = []
        self._seen = self._lost = 0
        if style.form == "json":
            self._form = (
                '"level":"info","process":"' + process + '","logger":"rcmon.access","identity":%s,'
                '"address":"%s","method":"%s","route":"%s","path":%s,"agent":%s,'
                '"code":%d,"bytes":%d,"duration":%.6f,"request_id":"%s"}\n'
            )
        else:
            self._form = (
                "info " + process + " rcmon.access: identity=%s address=%s method=%s route=%s "
                "path=%s agent=%s code=%d bytes=%d duration=%.6f request=%s\n"
            )

    def request(self, caller: str, address: str, exchange: Exchange) -> None:
        """Log one request; `caller` is quoted by `quoted`."""
        if self._off:
            return
        if exchange.status < _SERVER_ERROR:
            if exchange.seconds < self._slow:
                return
            self._seen += 1
            if self._seen % self._sample:
                return
        said = exchange.said
        asked = (exchange.method, exchange.route, said.path, said.agent)
        answered = (exchange.status, exchange.size, exchange.seconds, exchange.request_id)
        self._lines.append(self._form % (caller, address, *asked, *answered))
        if len(self._lines) == 1:
            self._later(_GATHERED, self.flush)

    def flush(self) -> None:
        """Write what was collected; where that fails, as on a full disk, say so and how much is lost."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        try:
            self._write(lines)
        except OSError as error:
            if not self._lost:
                LOG.error("the access log cannot be written: %s", error)  # noqa: TRY400 - no bug of ours
            self._lost += len(lines)
            return
        if self._lost:
            LOG.warning("the access log is written again; %d lines were lost", self._lost)
            self._lost = 0


def _later(seconds: float, do: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, do)
