"""A crowd of slow clients, as a program of its own: who measures others must not share its processor time.

Arguments: port, folder of certificates, seconds, and how many of each: headers (who never end a head),
bodies (who never end a report), readers (who take an answer by drops), strangers (who send bodies that
nobody asked for). Prints how often each kind connected, and how often it was cut or refused, as JSON.
"""

import asyncio
import contextlib
import json
import logging
import resource
import socket
import ssl
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

BASE = "/wm_resource_monitor"
DROP = 64
"""Octets that a reader takes at a time."""
WINDOW = 4096
"""Octets that the system may take for it."""
LARGE = 4 << 20
ABREAST = 20
"""So many connect at a time: this is no flood of handshakes, whatever else keeps the machine busy."""
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Crowd:
    """Who comes again and again until the time is up."""

    def __init__(self, port: int, pki: Path) -> None:
        self._port, self._pki = port, pki
        self.over = False
        """Whether the time is up."""
        self.here = 0
        """So many have been connected at all."""
        self._abreast = asyncio.Semaphore(ABREAST)
        self._tls: dict[str, ssl.SSLContext] = {}
        self.told: Counter[str] = Counter()

    async def connect(self, who: str, number: int) -> Stream:
        """Open a connection as somebody, from one of many addresses."""
        if who not in self._tls:
            self._tls[who] = ssl.create_default_context(cafile=str(self._pki / "ca.crt"))
            self._tls[who].load_cert_chain(self._pki / f"{who}.crt", self._pki / f"{who}.key")
        sock = socket.socket()
        sock.setblocking(False)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
            sock.bind((f"127.0.1.{number % 200 + 1}", 0))
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._port))
            return await asyncio.open_connection(
                sock=sock, ssl=self._tls[who], server_hostname="localhost", limit=WINDOW
            )
        except BaseException:
            sock.close()
            raise

    async def come(self, kind: str, number: int) -> None:
        """Be one of them, again and again."""
        who, behave = KINDS[kind]
        first = True
        while not self.over:
            try:
                async with self._abreast:
                    stream = await self.connect(who, number)
            except OSError:
                self.told[f"{kind} refused"] += 1
                await asyncio.sleep(1)
                continue
            self.told[kind] += 1
            self.here += first
            first = False
            try:
                await behave(self, stream)
            except (OSError, asyncio.IncompleteReadError):
                self.told[f"{kind} cut"] += 1
            finally:
                stream[1].transport.abort()
                with contextlib.suppress(OSError):
                    await stream[1].wait_closed()


async def drip(crowd: Crowd, stream: Stream, head: str) -> None:
    """Send a head, and then an octet a second, until the other side ends it."""
    reader, writer = stream
    writer.write(head.encode())
    while not crowd.over:
        writer.write(b"a")
        await writer.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                if not await reader.read(WINDOW):
                    raise ConnectionResetError


async def headers(crowd: Crowd, stream: Stream) -> None:
    """Never end a head."""
    await drip(crowd, stream, f"GET {BASE}/api/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")


async def bodies(crowd: Crowd, stream: Stream) -> None:
    """Never end a report."""
    head = f"PUT {BASE}/api/agents/vocms0281/report HTTP/1.1\r\nHost: localhost\r\n"
    await drip(crowd, stream, f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n")


async def readers(crowd: Crowd, stream: Stream) -> None:
    """Take a large answer by drops."""
    reader, writer = stream
    writer.write(f"GET {BASE}/api/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    while not crowd.over:
        if not await reader.read(DROP):
            raise ConnectionResetError
        await asyncio.sleep(1)


async def strangers(crowd: Crowd, stream: Stream) -> None:
    """Send a body that is not asked for, as fast as it goes."""
    _reader, writer = stream
    head = f"PUT {BASE}/api/agents/vocms0281/report HTTP/1.1\r\nHost: localhost\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {LARGE}\r\n\r\n".encode())
    for _ in range(LARGE // 65536):
        if writer.is_closing():
            raise ConnectionResetError
        writer.write(bytes(65536))
        await writer.drain()
    while not crowd.over:
        await asyncio.sleep(1)


KINDS: dict[str, tuple[str, Callable[[Crowd, Stream], Awaitable[None]]]] = {
    "headers": ("reader", headers),
    "bodies": ("agent", bodies),
    "readers": ("reader", readers),
    "strangers": ("stranger", strangers),
}


async def main(port: int, pki: Path, seconds: float, numbers: dict[str, int]) -> None:
    """Let all of them come, and stay for so long once all are there."""
    crowd = Crowd(port, pki)
    async with asyncio.TaskGroup() as group:
        for kind, number in numbers.items():
            for one in range(number):
                group.create_task(crowd.come(kind, one))
        while crowd.here < sum(numbers.values()):
            await asyncio.sleep(0.1)
        await asyncio.sleep(seconds)
        crowd.over = True
    print(json.dumps(crowd.told))


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # who is cut off is told by numbers
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    given = dict(zip(KINDS, map(int, sys.argv[4:]), strict=True))
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), given))
