"""A client that listens to events, byte by byte."""

import asyncio
import zlib
from typing import Any

import msgspec
from msgspec import Struct

from tests.access import pki
from tests.web.caller import Caller, head
from tests.web.pki import READER
from tests.web.serving import Serving


class Heard(Struct):
    """One event as a browser's EventSource would give it."""

    name: str
    data: Any
    id: str | None


class Listener:
    """One stream of events."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.status, self.fields = 0, dict[str, str]()
        self.comments: list[str] = []
        self.retry: int | None = None
        self.last_id: str | None = None
        self.ended = False
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._text = b""

    async def begin(self, query: str, *fields: str, method: str = "GET", version: str = "1.1") -> None:
        """Ask, and read the head."""
        await self.caller.send(head(f"/api/events{query}", *fields, method=method, version=version))
        first, *lines = (await self.caller.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        self.status = int(first.split(" ")[1])
        for line in lines:
            name, _, value = line.partition(": ")
            self.fields[name.lower()] = value

    async def read(self) -> bool:
        """Read what comes next; false: the stream ended, properly."""
        reader = self.caller.reader
        if self.fields.get("transfer-encoding") == "chunked":
            size = int(await reader.readline(), 16)
            piece = await reader.readexactly(size)
            assert await reader.readexactly(2) == b"\r\n"
        else:
            piece = await reader.read(65536)
        if self.fields.get("content-encoding") == "gzip":
            if not piece:
                assert self._inflate.eof, "the gzip member is not whole"
            self._text += self._inflate.decompress(piece)
        else:
            self._text += piece
        self.ended = not piece
        return not self.ended

    async def part(self) -> Heard | None:
        """Give the next event; None: a part that only says where we are, or that all is well."""
        async with asyncio.timeout(300):
            while b"\n\n" not in self._text:
                assert await self.read(), "the stream ended"
        part, _, self._text = self._text.partition(b"\n\n")
        return self._take(part.decode())

    async def next(self) -> Heard:
        """Give the next event."""
        while (heard := await self.part()) is None:
            pass
        return heard

    async def moved(self, before: str | None) -> None:
        """Wait until the stream is elsewhere, without an event."""
        while self.last_id == before:
            assert await self.part() is None

    async def end(self) -> None:
        """Read until the stream ends, properly."""
        async with asyncio.timeout(300):
            while await self.read():
                pass

    def _take(self, part: str) -> Heard | None:
        name, data, identifier = "message", None, None
        for line in part.split("\n"):
            field, _, value = line.partition(": ")
            if field == "":
                self.comments.append(value)
            elif field == "event":
                name = value
            elif field == "data":
                data = value
            elif field == "id":
                self.last_id = identifier = value
            else:
                assert field == "retry", line
                self.retry = int(value)
        return None if data is None else Heard(name, msgspec.json.decode(data), identifier)

    async def close(self) -> None:
        await self.caller.close()


async def listen(
    service: Serving,
    query: str = "",
    *fields: str,
    credential: pki.Credential = READER,
    settle: bool = True,
    **options: str,
) -> Listener:
    """Open a stream."""
    listener = Listener(await service.call(credential))
    await listener.begin(query, *fields, **options)
    if settle:
        assert listener.status == 200, listener.fields
        await listener.moved(None)
    return listener
