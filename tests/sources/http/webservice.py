"""A web service on the loopback address whose every octet a test decides, over TLS or not."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

Say = Callable[[bytes, bytes, asyncio.StreamWriter], Awaitable[None]]
"""Answer a request, given its head and body; what it does not write, nobody does. Then it is cut."""


class WebService:
    """A service while it runs: where it is, and what it was asked."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.url = ""
        self.heads: list[bytes] = []
        self.open = 0
        """Connections that neither end has closed."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self.open -= 1
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(length_of(head))
        self.heads.append(head)
        saying = asyncio.ensure_future(self.say(head, body, writer))
        gone = asyncio.ensure_future(reader.read(1))
        await asyncio.wait({saying, gone}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if not saying.done():
            saying.cancel()
        await asyncio.wait({saying, gone})
        return False


def length_of(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


@asynccontextmanager
async def serving(say: Say, tls: ssl.SSLContext | None = None) -> AsyncIterator[WebService]:
    """Run a service for the length of the block."""
    service = WebService(say)
    server = await asyncio.start_server(service.handle, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    service.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield service
    finally:
        server.close()


def answer(
    body: bytes = b"", status: str = "200 OK", media: str = "application/json", **headers: Any
) -> bytes:
    """Write a whole answer."""
    fields = {"Content-Type": media, "Content-Length": len(body), "Connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def saying(*answers: bytes) -> Say:
    """Give these answers, one after the other, the last again and again."""
    left = list(answers)

    async def say(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    return say


def zipped(body: bytes) -> bytes:
    return answer(gzip.compress(body), Content_Encoding="gzip")
