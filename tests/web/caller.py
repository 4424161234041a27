"""A client that speaks byte by byte."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator

from msgspec import Struct

BASE = b"/wm_resource_monitor"


class Answer(Struct):
    """What came back; field names in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes


class Caller:
    """One connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, method: str = "GET") -> Answer:
        """Read one answer; of an interim one too."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        fields: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            assert name.lower() not in fields, line
            fields[name.lower()] = value
        status = int(first.split(" ")[1])
        has_body = method != "HEAD" and status >= 200 and status not in (204, 304)
        return Answer(status, fields, await self._body(fields) if has_body else b"")

    async def _body(self, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding") != "chunked":
            return await self.reader.readexactly(int(fields["content-length"]))
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return body

    async def ask(self, path: str, *fields: str, method: str = "GET", version: str = "1.1") -> Answer:
        """Send a canonical head and read its answer."""
        await self.send(head(path, *fields, method=method, version=version))
        return await self.answer(method)

    async def rest(self) -> bytes:
        """Read until the server ends the connection, by whatever means."""
        data = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while piece := await self.reader.read(65536):
                data += piece
        return data

    async def is_open(self) -> bool:
        """Tell whether one more request is answered."""
        try:
            return (await self.ask("/small")).status == 200
        except (OSError, asyncio.IncompleteReadError):
            return False

    async def close(self) -> None:
        """Cut the connection."""
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


def head(path: str, *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    """Write the head of a request below BASE."""
    start = f"{method} {BASE.decode()}{path} HTTP/{version}"
    return "\r\n".join([start, "Host: localhost", *fields, "", ""]).encode("latin-1")


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
