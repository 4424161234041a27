"""Listening sockets that systemd holds (sd_listen_fds(3)): they outlive us, and no client is turned away."""

import logging
import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress

from rcmon.errors import ConfigError
from rcmon.process.sockets import address_of

LOG = logging.getLogger("rcmon.process")

_FIRST = 3
"""Descriptor of the first that is handed over."""
_TOLD = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def given_sockets(environ: MutableMapping[str, str] = os.environ) -> list[socket.socket]:
    """Take the sockets that were handed to this process; none where none were.

    Whoever is started from here is not told of them. Raises ConfigError where one is nothing that HTTPS can
    be served at.
    """
    process, count, _ = (environ.pop(name, "") for name in _TOLD)
    if process != str(os.getpid()) or not count.isdecimal():
        return []
    sockets = [_taken(number) for number in range(_FIRST, _FIRST + int(count))]
    if sockets:
        where = ", ".join(map(address_of, sockets))
        LOG.info("listening at %s, given by systemd; --host and --port do not count", where)
    return sockets


def _taken(number: int) -> socket.socket:
    """Take a descriptor."""
    try:
        given = socket.socket(fileno=number)
    except OSError as error:
        raise ConfigError(f"descriptor {number} of LISTEN_FDS is no socket: {error.strerror}") from None
    inet = given.family in (socket.AF_INET, socket.AF_INET6) and given.type == socket.SOCK_STREAM
    listening = 0
    with suppress(OSError):
        listening = given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not (inet and listening):
        given.detach()
        raise ConfigError(
            f"descriptor {number} of LISTEN_FDS listens at no TCP port; in the unit .socket should stand"
            " ListenStream=PORT and Accept=no"
        )
    given.setblocking(False)  # noqa: FBT003 - its parameter has no name
    given.set_inheritable(False)
    return given
