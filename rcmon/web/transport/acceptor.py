"""Accepting connections, whatever becomes of one of them, and of the process's descriptors."""

import errno
import socket
from collections.abc import Callable, Iterable
from typing import Any

from tornado.ioloop import IOLoop

_AT_ONCE = 128
"""So many are accepted of one socket, then others have a turn."""
_PAUSE = 0.5
"""Seconds without accepting where accepting itself fails: it would fail again at once, and again."""
OF_ONE_CONNECTION = frozenset(
    {
        # accept(2), Linux: errors of the new connection alone, to be treated like EAGAIN
        errno.ECONNABORTED,
        errno.ECONNRESET,
        errno.ENETDOWN,
        errno.EPROTO,
        errno.ENOPROTOOPT,
        errno.EHOSTDOWN,
        errno.ENONET,
        errno.EHOSTUNREACH,
        errno.EOPNOTSUPP,
        errno.ENETUNREACH,
        errno.EPERM,  # a firewall
        errno.ETIMEDOUT,
    }
)
"""After these the next connection may be fine; after any other it would not."""


class Acceptor:
    """Accepts on listening sockets, which it then owns.

    `take` gets each connection and the client's address, `failed` the error where there is none; neither
    may raise.
    """

    def __init__(
        self,
        sockets: Iterable[socket.socket],
        take: Callable[[socket.socket, Any], None],
        failed: Callable[[OSError], None],
    ) -> None:
        self._take, self._failed = take, failed
        self._loop = IOLoop.current()
        self._pauses: dict[socket.socket, object] = {}
        self._sockets = set(sockets)
        for sock in self._sockets:
            self._listen(sock)

    def close(self) -> None:
        """Accept nothing any more."""
        for pause in self._pauses.values():
            self._loop.remove_timeout(pause)
        for sock in self._sockets:
            if sock not in self._pauses:
                self._loop.remove_handler(sock)
            sock.close()
        self._sockets.clear()
        self._pauses.clear()

    def _listen(self, sock: socket.socket) -> None:
        self._pauses.pop(sock, None)
        self._loop.add_handler(sock, self._accept, IOLoop.READ)

    def _accept(self, sock: socket.socket, _: int) -> None:
        for _turn in range(_AT_ONCE):
            if sock not in self._sockets:
                return  # closed by what came of the last one
            try:
                connection, address = sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._failed(error)
                if error.errno not in OF_ONE_CONNECTION:
                    self._loop.remove_handler(sock)
                    self._pauses[sock] = self._loop.call_later(_PAUSE, self._listen, sock)
                    return
                continue
            self._take(connection, address)
