"""Listening sockets, bound by the parent and shared by all web workers."""

import errno
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tornado import netutil

from rcmon.errors import ConfigError

LOG = logging.getLogger("rcmon.process")

_BACKLOG = 1024
"""Connections that wait in the kernel while no worker accepts, as when one is being replaced."""
_LOCAL_BACKLOG = 16
_LOCAL_PATIENCE = 2.0
"""Seconds that somebody who listens at a path has to take a connection."""
_MAX_PORT = 65535


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Bind and listen at every address that `host` names.

    '' is every address of both families, '0.0.0.0' every one of IPv4 only, '::' every one of IPv6 only.
    Port 0 takes a free one, the same at all addresses. Raises ConfigError naming host, port and what
    would be right.
    """
    if not 0 <= port <= _MAX_PORT:
        raise ConfigError(
            f"port {port}: not a port, give a number from 1 to {_MAX_PORT}, or 0 for any free one"
        )
    try:
        sockets = netutil.bind_sockets(port, host, backlog=_BACKLOG)
    except (socket.gaierror, UnicodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else error
        raise ConfigError(
            f"host {host!r}: no such address ({reason}); give an address of this machine, "
            "a name that leads to one, 0.0.0.0 or ::"
        ) from error
    except OSError as error:
        raise ConfigError(_refusal(host, port, error)) from error
    if not sockets:
        raise ConfigError(
            f"host {host!r}: its address family is switched off on this machine; give another address"
        )
    LOG.info("listening at %s", ", ".join(map(address_of, sockets)))
    return sockets


def bind_local(path: Path) -> socket.socket | None:
    """Listen at a path that only the user whom we run as may reach; None, logged, where that cannot be.

    It takes the place of what a service before left there. A path longer than an address may be is reached
    through the descriptor of its folder.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(f"/proc/self/fd/{folder}/{fresh.name}")
        fresh.chmod(0o600)
        listening.listen(_LOCAL_BACKLOG)
        fresh.replace(path)
    except OSError as error:
        listening.close()
        LOG.warning(
            "%s: cannot listen there (%s); the container's probe needs a certificate", path, error.strerror
        )
        return None
    finally:
        os.close(folder)
    listening.setblocking(False)  # noqa: FBT003 - its parameter has no name
    return listening


@contextmanager
def listening_at(path: Path) -> Iterator[list[socket.socket]]:
    """Listen at a path during the block, where that can be; then it goes, unless it is another's by now."""
    listening = bind_local(path)
    if listening is None:
        yield []
        return
    made = path.stat().st_ino
    try:
        yield [listening]
    finally:
        listening.close()
        with suppress(OSError):
            if path.stat().st_ino == made:
                path.unlink()


def is_answered(path: Path) -> bool:
    """Tell whether somebody listens at a path that `bind_local` made."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(_LOCAL_PATIENCE)
        try:
            channel.connect(f"/proc/self/fd/{folder}/{path.name}")
        except OSError:
            return False
        finally:
            os.close(folder)
    return True


def address_of(listening: socket.socket) -> str:
    """Write a socket's address as a URL has it: `127.0.0.1:5000`, `[::1]:5000`."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if listening.family == socket.AF_INET6 else f"{host}:{port}"


def _refusal(host: str, port: int, error: OSError) -> str:
    """Say why binding failed and what would be right."""
    where = f"host {host!r}, port {port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where}: in use by another program; stop it, or give another port"
        case errno.EACCES | errno.EPERM:
            return (
                f"{where}: permission denied; give a port from 1024 on, or the right to take lower ones "
                "(CAP_NET_BIND_SERVICE)"
            )
        case errno.EADDRNOTAVAIL:
            return f"{where}: not an address of this machine; give one of its own, 0.0.0.0 or ::"
        case _:
            return f"{where}: cannot listen there ({error.strerror}); give another host or port"
