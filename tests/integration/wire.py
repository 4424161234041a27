"""A wire to a server that can be cut: what is sent then arrives nowhere, and nobody is told."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Wire:
    """Passes bytes on to a port, while it is whole; what it held back arrives once it is mended."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._whole = threading.Event()
        self._whole.set()
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def is_cut(self) -> bool:
        """Whether nothing is passed on."""
        return not self._whole.is_set()

    def cut(self) -> None:
        """Pass nothing on from here on, in either direction; connections stay open."""
        self._whole.clear()

    def mend(self) -> None:
        """Pass on again."""
        self._whole.set()

    def close(self) -> None:
        """End all of it."""
        self._whole.set()
        for one in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                self._whole.wait()
                sink.sendall(part)
            self._whole.wait()
            sink.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def wire(target: int) -> Iterator[Wire]:
    """Lay a wire to a port until the block ends."""
    laid = Wire(target)
    try:
        yield laid
    finally:
        laid.close()
