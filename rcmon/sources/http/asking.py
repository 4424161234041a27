"""One service while it is asked: what may pass is tried again, what is unchanged is not read again."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import httpx2
from msgspec import Struct
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from rcmon.errors import SourceError
from rcmon.sources.http.body import check_size, inflated
from rcmon.sources.http.refusal import NOT_MODIFIED, PassingError, check_head, refusal

ATTEMPTS = 3
"""Times that a request is made at most, where its fault may pass."""

Made = TypeVar("Made")
Read = Callable[[bytes], Made]
"""Make something of an answer's body; runs in a thread, raises SourceError."""


class KnownDocument(Struct, frozen=True):
    """What was made of a document, which holds for as long as its ETag does."""

    etag: str
    made: Any


class _Answer(Struct, frozen=True):
    content: bytes
    coding: str
    etag: str | None

    def read_by(self, read: Read[Made]) -> Made:
        return read(inflated(self.content, self.coding))


class Asking:
    """A service while it is asked; `kept` are documents by what they were asked as."""

    def __init__(self, client: httpx2.AsyncClient, base: httpx2.URL, kept: dict[str, KnownDocument]) -> None:
        self._client, self._base, self._kept = client, base, kept

    async def get(self, target: str, read: Read[Made]) -> Made:
        """Get a document, `target` being its path and query below the service's address.

        While the service says by its ETag that it is unchanged, what was made of it stays. Raises
        SourceError.
        """
        held = self._kept.get(target)
        answer = await self._answer("GET", target, {"If-None-Match": held.etag} if held else {})
        if answer is None:
            return cast("Made", self._kept[target].made)
        made = await asyncio.to_thread(answer.read_by, read)
        self._kept.pop(target, None)
        if answer.etag is not None:
            self._kept[target] = KnownDocument(answer.etag, made)
        return made

    async def post(self, target: str, body: bytes, media: str, read: Read[Made]) -> Made:
        """Ask by a body of a media type, which may well be asked twice. Raises SourceError."""
        answer = await self._answer("POST", target, {"Content-Type": media}, body)
        if answer is None:
            raise SourceError("it says that what was never asked before is unchanged")
        return await asyncio.to_thread(answer.read_by, read)

    async def _answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> _Answer | None:
        """Ask, and again where that may help; None: unchanged."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=0.2, max=2, jitter=0.2),
            retry=retry_if_exception_type(PassingError),
            reraise=True,
        )
        return await retrying(self._once, method, target, headers, body)

    async def _once(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> _Answer | None:
        content = bytearray()
        url = f"{str(self._base).rstrip('/')}{target}"
        try:
            async with self._client.stream(method, url, headers=headers, content=body) as response:
                check_head(response, kept="If-None-Match" in headers)
                if response.status_code == NOT_MODIFIED:
                    return None
                async for chunk in response.aiter_raw():
                    content += chunk
                    check_size(len(content))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise refusal(error) from error
        coding = response.headers.get("content-encoding", "").strip().lower()
        return _Answer(bytes(content), coding, response.headers.get("etag"))
