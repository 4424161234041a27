"""A web service: asked within a deadline, over connections that last no longer than a poll."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from rcmon.errors import SourceError
from rcmon.files.reading import FileError, read_password
from rcmon.sources.hiding import hiding
from rcmon.sources.http.asking import Asking, KnownDocument
from rcmon.sources.http.settings import HTTPConfig, base_of, tls_of

_HEADERS = {"User-Agent": "rcmon", "Accept": "application/json", "Accept-Encoding": "gzip"}

# a line for each request would be one every few seconds
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class HTTPService:
    """A web service that is only ever read.

    Token, authorities and certificate are read anew for each poll, and no connection outlives one.
    Raises ConfigError for a configuration that cannot be used.
    """

    def __init__(self, config: HTTPConfig) -> None:
        self._base, self._token_file = base_of(config.url), config.token_file
        self._tls = tls_of(config)
        self._shown = str(self._base).rstrip("/")
        self._kept: dict[str, KnownDocument] = {}
        self._client: httpx2.AsyncClient | None = None
        self._secrets: list[str] = []
        """What the newest poll asks with."""

    @asynccontextmanager
    async def asking(self, seconds: float) -> AsyncIterator[Asking]:
        """Open the service for the length of the block, which has so many seconds.

        Raises SourceError, which names the service and never its token, also for one that is raised there.
        """
        with hiding(self._secrets):
            async with self._asking(seconds) as asking:
                yield asking

    @asynccontextmanager
    async def _asking(self, seconds: float) -> AsyncIterator[Asking]:
        if self._client is not None:
            raise SourceError("an earlier poll still asks this service")
        try:
            async with asyncio.timeout(seconds) as limit, await asyncio.to_thread(self._open) as client:
                self._client = client
                yield Asking(client, self._base, self._kept)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise SourceError(f"cannot use {self._shown}: no whole answer within {seconds:g} s") from error
        except SourceError as error:
            raise SourceError(f"cannot use {self._shown}: {error}") from error
        finally:
            self._client = None

    async def close(self) -> None:
        """Cut a running poll's connections off."""
        if self._client is not None:
            await self._client.aclose()

    def _open(self) -> httpx2.AsyncClient:
        """Make a client of the files as they are now; no environment variable leads it elsewhere."""
        headers = dict(_HEADERS)
        if self._token_file is not None:
            self._secrets[:] = [token := _token(self._token_file)]
            headers["Authorization"] = f"Bearer {token}"
        return httpx2.AsyncClient(
            headers=headers, verify=self._context(), timeout=None, trust_env=False, follow_redirects=False
        )

    def _context(self) -> ssl.SSLContext:
        if self._base.scheme == "http":
            # nobody is believed where nobody shows a certificate; to read the system's takes long
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            return self._tls.context()
        except OSError as error:
            raise SourceError(f"its certificates cannot be read: {error.strerror or error}") from error


def _token(path: Path) -> str:
    """Read a token; `Bearer` may stand before it, as in the agents' own configuration."""
    try:
        token = read_password(path).strip().removeprefix("Bearer").strip()
    except FileError as error:
        raise SourceError(f"token_file {error}") from error
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SourceError(f"token_file {path}: holds no token, which is one word of ASCII")
    return token
