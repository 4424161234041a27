"""Tell systemd how the service does (the protocol of sd_notify(3)); without systemd nothing happens."""

import math
import os
import socket
import time
from collections.abc import Mapping

from rcmon.errors import writable

_MORE_TIME = 60.0
_ASK_EVERY = 10.0
"""Seconds: a parent that hangs while it starts is noticed after the first."""


class Notifier:
    """Sends to the socket in NOTIFY_SOCKET; the watchdog as often as WATCHDOG_USEC asks for (half of it)."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # "@" stands for the NUL byte that begins an abstract address.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watched = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environ.get("WATCHDOG_USEC", "")
        self._interval = int(microseconds) / 2e6 if watched and microseconds.isdecimal() else 0.0
        self._last = 0.0
        self._status = ""
        self._asked = -math.inf

    def ready(self) -> None:
        """Say that the service serves."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say in a line what the service does, where that is news."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    def starting(self, now: float) -> None:
        """Ask for more time until `ready`: what is lacking, such as a first snapshot, may take a cycle.

        `now` is `time.monotonic()`.
        """
        if now - self._asked >= _ASK_EVERY:
            self._asked = now
            self._send(f"EXTEND_TIMEOUT_USEC={int(_MORE_TIME * 1e6)}")

    def reloading(self) -> None:
        """Say that files are being read again; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the service drains."""
        self._send("STOPPING=1")

    def alive(self, now: float) -> None:
        """Feed the watchdog when it is due. `now` is `time.monotonic()`."""
        if self._interval and now - self._last >= self._interval:
            self._last = now
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        """Send one datagram; a service manager that does not listen is its own affair."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(0)
            try:
                channel.sendto(writable(message).encode(), self._address)
            except OSError:
                return
