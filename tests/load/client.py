"""A load generator of our own, for where ab is not installed and for open-loop load."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Result:
    """What a load run gave. Times in seconds."""

    requests: int = 0
    errors: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    size: int = 0
    """Bytes of the last answer's body."""

    def percentile(self, percent: float) -> float | None:
        """Give the latency that so many percent stayed below."""
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@dataclass(frozen=True)
class Endpoint:
    """What is asked, and who asks."""

    url: str
    pem: str
    """Client certificate and key in one file."""
    ca: str
    fields: tuple[str, ...] = ()
    old_keep_alive: bool = True
    """Whether the server keeps HTTP/1.0 connections open, which is all that ab speaks."""

    def context(self) -> ssl.SSLContext:
        """Make a client's TLS context."""
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(self.pem)
        return context

    def request(self, *, keep: bool) -> bytes:
        """Write the request."""
        parts = urlsplit(self.url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", *self.fields]
        lines += [] if keep else ["Connection: close"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Client:
    """One connection that asks the same again and again."""

    def __init__(self, endpoint: Endpoint, *, keep: bool = True) -> None:
        self._endpoint, self._keep = endpoint, keep
        self._context = endpoint.context()
        self._request = endpoint.request(keep=keep)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self) -> tuple[int, int]:
        """Ask once; returns status and size of the body."""
        if self._streams is None:
            parts = urlsplit(self._endpoint.url)
            self._streams = await asyncio.open_connection(parts.hostname, parts.port, ssl=self._context)
        reader, writer = self._streams
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if length:
            await reader.readexactly(length)
        if b"transfer-encoding: chunked" in head.lower():
            length = await _chunks(reader)
        if not self._keep:
            await self.close()
        return int(head[9:12]), length

    async def close(self) -> None:
        """End the connection."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            try:
                await streams[1].wait_closed()
            except (OSError, ssl.SSLError):
                return


async def _chunks(reader: asyncio.StreamReader) -> int:
    """Read a body of chunks; returns its size."""
    length = 0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        length += size
    await reader.readline()
    return length


async def _timed(client: Client, result: Result, begin: float) -> None:
    """Ask once and write down what became of it; `begin` is when it was due."""
    try:
        status, result.size = await client.ask()
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError, ValueError):
        result.errors += 1
        await client.close()
        return
    result.requests += 1
    result.errors += status not in (200, 304)
    result.latencies.append(time.perf_counter() - begin)


async def closed_loop(
    endpoint: Endpoint, connections: int, seconds: float, *, keep: bool, progress: Callable[[float], None]
) -> Result:
    """Let each connection ask again as soon as it was answered."""
    result, start = Result(), time.perf_counter()

    async def one() -> None:
        client = Client(endpoint, keep=keep)
        while (begin := time.perf_counter()) - start < seconds:
            await _timed(client, result, begin)
        await client.close()

    ticker = asyncio.create_task(_tick(start, seconds, progress))
    await asyncio.gather(*(one() for _ in range(connections)))
    result.seconds = time.perf_counter() - start
    await ticker
    return result


async def open_loop(
    endpoint: Endpoint, connections: int, seconds: float, *, rate: float, progress: Callable[[float], None]
) -> Result:
    """Ask `rate` times a second whatever the answers take; latency counts from when a request was due."""
    result, start = Result(), time.perf_counter()
    due: asyncio.Queue[float | None] = asyncio.Queue()

    async def one() -> None:
        client = Client(endpoint)
        while (begin := await due.get()) is not None:
            await _timed(client, result, begin)
        await client.close()

    workers = [asyncio.create_task(one()) for _ in range(connections)]
    for number in range(int(rate * seconds)):
        begin = start + number / rate
        await asyncio.sleep(max(0.0, begin - time.perf_counter()))
        due.put_nowait(begin)
        if number % max(1, int(rate)) == 0:
            progress(min(1.0, (begin - start) / seconds))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    result.seconds = time.perf_counter() - start
    progress(1.0)
    return result


async def _tick(start: float, seconds: float, progress: Callable[[float], None]) -> None:
    while (done := (time.perf_counter() - start) / seconds) < 1.0:
        progress(done)
        await asyncio.sleep(min(0.5, seconds * (1.0 - done)))
    progress(1.0)
