"""The access log: one line a request, collected and written about once a second."""

import logging
import time
from collections.abc import Callable

import msgspec
from msgspec import Struct

from rcmon.web.transport.exchange import Exchange

LOG = logging.getLogger("rcmon.web.transport.server")

_FLUSH_AT = 512
_SERVER_ERROR = 500


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
    """Writes identity, address, method, route, code, bytes and duration of requests.

    `write` takes finished lines. Server errors are always written, unless the log is off.
    """

    def __init__(self, write: Callable[[str], object], process: str, style: Style) -> None:
        self._write, self._sample = write, style.sample
        self._off = style.mode == "off"
        self._slow = style.slow if style.mode == "slow" else 0.0
        self._lines: list[str] = []
        self._seen = self._lost = 0
        if style.form == "json":
            self._form = (
                '{"time":"%s","level":"info","process":"'
                + process
                + '","logger":"rcmon.access","identity":%s,'
                '"address":"%s","method":"%s","route":"%s","code":%d,"bytes":%d,"duration":%.6f}\n'
            )
        else:
            self._form = (
                "%s info " + process + " rcmon.access: identity=%s address=%s method=%s route=%s code=%d "
                "bytes=%d duration=%.6f\n"
            )
        self._second, self._stamp = 0, ""

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
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        stamp = f"{self._stamp}.{int((now - second) * 1000):03d}Z"
        what = (exchange.method, exchange.route, exchange.status, exchange.size, exchange.seconds)
        self._lines.append(self._form % (stamp, caller, address, *what))
        if len(self._lines) >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Write what was collected; where that fails, as on a full disk, say so and how much is lost."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        try:
            self._write("".join(lines))
        except OSError as error:
            if not self._lost:
                LOG.error("the access log cannot be written: %s", error)  # noqa: TRY400 - no bug of ours
            self._lost += len(lines)
            return
        if self._lost:
            LOG.warning("the access log is written again; %d lines were lost", self._lost)
            self._lost = 0


def quoted(text: str) -> str:
    """Quote a text that a client chose, so that it can neither end its field nor forge a line."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
