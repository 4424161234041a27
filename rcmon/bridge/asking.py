"""Asking rcmon: one question, by this node's certificate, within a time and a size."""

import asyncio
import ssl

import msgspec
from msgspec import Struct
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from rcmon.bridge.doubt import DoubtError
from rcmon.bridge.node import Node
from rcmon.errors import UNREADABLE

VERSION = "X-Rcmon-Control-Version"
"""Names the version of what is answered; with a question, the version that is asked for."""
_LARGEST = 16 * 1024 * 1024
"""Octets of an answer, inflated."""
_OK = 200
_SHOWN = 300
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "User-Agent": "rcmon-bridge",
}


class Answered(Struct, frozen=True):
    """What rcmon answered, unread."""

    version: int
    content: bytes


class _Refused(Struct):
    detail: str = ""


class Rcmon:
    """The service, asked for one agent."""

    def __init__(self, url: str, agent: str, timeout: float) -> None:
        self._url = f"{url}/wm_resource_monitor/api/agents/{agent}/ssb/_msearch"
        self._timeout = timeout
        self._client: AsyncHTTPClient = SimpleAsyncHTTPClient(force_instance=True, max_body_size=_LARGEST)

    async def ask(self, question: bytes, version: int | None, node: Node) -> Answered:
        """Pass a question on; `version`: what the answer must be of. Raises DoubtError."""
        headers = dict(_HEADERS)
        if version is not None:
            headers[VERSION] = str(version)
        request = HTTPRequest(
            self._url,
            method="POST",
            headers=headers,
            body=question,
            ssl_options=node.context,
            connect_timeout=self._timeout,
            request_timeout=self._timeout,
            follow_redirects=False,
        )
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.fetch(request, raise_error=False)
        except TimeoutError as error:
            raise self._late() from error
        except Exception as error:  # whatever the client makes of what came: there is no answer
            raise self._unreachable(error) from error
        return self._taken(response)

    def close(self) -> None:
        """Let go of what is open."""
        self._client.close()

    def _taken(self, response: HTTPResponse) -> Answered:
        if response.code != _OK:
            raise DoubtError(
                f"status_{response.code}", f"rcmon answers {response.code}{_detail(response.body or b'')}"
            )
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DoubtError("coding", "rcmon's answer is coded by something else than gzip")
        version = response.headers.get(VERSION, "")
        if not version.isascii() or not version.isdecimal() or len(version) > 18:  # noqa: PLR2004 - of 64 bits
            raise DoubtError("no_version", f"rcmon's answer names no version: {VERSION} is {version!r:.40}")
        return Answered(int(version), response.body or b"")

    def _late(self) -> DoubtError:
        return DoubtError("late", f"rcmon gave no whole answer within {self._timeout:g} s")

    def _unreachable(self, error: Exception) -> DoubtError:
        if isinstance(error, HTTPClientError) and "imeout" in str(error):
            return self._late()
        if isinstance(error, ssl.SSLCertVerificationError):
            return DoubtError("not_believed", f"rcmon's certificate is not believed: {error.verify_message}")
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        words = words or type(error).__name__
        return DoubtError("unreachable", f"no answer from {self._url}: {words}")


def _detail(body: bytes) -> str:
    """Take what a problem document says, for people."""
    try:
        detail = msgspec.json.decode(body, type=_Refused).detail
    except UNREADABLE:
        return ""
    line = " ".join(detail.split())[:_SHOWN]
    return f": {line}" if line else ""
