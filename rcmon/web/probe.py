"""The probe of this machine: who may reach a socket in the state directory reads how the service does.

No certificate is asked for, since only the service's own user may enter that directory; and there is no
handshake, so that a probe is neither a TLS failure nor a refused client.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence

PROBE_WITHIN = 5.0
"""Seconds that one who asks has to take the answer."""


class Probe:
    """Answers each connection to `sockets` with what `say` gives, the status document, and closes it."""

    def __init__(self, sockets: Sequence[socket.socket], say: Callable[[], bytes]) -> None:
        self._sockets, self._say = sockets, say
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        """Answer from now on."""
        for listening in self._sockets:
            self._servers.append(await asyncio.start_server(self._answer, sock=listening))

    def stop(self) -> None:
        """Leave it to the other workers."""
        for server in self._servers:
            server.close()

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PROBE_WITHIN):
                writer.write(self._say())
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            writer.transport.abort()
