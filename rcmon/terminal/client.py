"""Asks the service: over mutual TLS, within a time, and no more than can be held."""

import logging
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import msgspec
from msgspec import Struct

from rcmon.terminal.address import MOUNT, shown
from rcmon.terminal.answers import Received, is_absence, made_out
from rcmon.terminal.failure import CONFIG, FORBIDDEN, PROTOCOL, UNAVAILABLE, TerminalError
from rcmon.version import VERSION

LARGEST = 256 << 20
"""Bytes of an answer."""
MOST_PAGES = 10_000

_ALERTS = {
    "UNKNOWN_CA": "its CA is not known there",
    "CERTIFICATE_EXPIRED": "it has expired",
    "CERTIFICATE_REVOKED": "it is revoked",
    "CERTIFICATE_REQUIRED": "none arrived there",
    "BAD_CERTIFICATE": "it is not accepted",
    "CERTIFICATE_UNKNOWN": "it is not accepted",
    "UNSUPPORTED_CERTIFICATE": "it is of a kind that is not accepted",
    "ACCESS_DENIED": "it is not let in",
    "HANDSHAKE_FAILURE": "it is not accepted",
}
"""What a TLS alert of the service says of our certificate, by the part of its name behind ALERT_."""

Query = Mapping[str, str | Sequence[str]]

# a line for each request belongs to no table
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class Paged(Struct, frozen=True):
    """All pages of a list: the first one's document with the items of every page."""

    document: dict[str, Any]
    items: list[Any]


class Client:
    """The service, as a client sees it."""

    def __init__(self, base: httpx2.URL, context: ssl.SSLContext, seconds: float, certificate: str) -> None:
        self._base, self._seconds, self._certificate = base, seconds, certificate
        self.service = shown(base)
        headers = {
            "User-Agent": f"rcmon-cli/{VERSION}",
            "Accept": "application/json, application/problem+json",
        }
        self._http = httpx2.Client(
            headers=headers, verify=context, timeout=seconds, trust_env=False, follow_redirects=False
        )

    def close(self) -> None:
        """Let go of the connection; from another thread too, which then fails."""
        self._http.close()

    def get(
        self, path: str, query: Query | None = None, *, etag: str | None = None, missing: bool = False
    ) -> Received:
        """Ask for a document below /api; `etag`: only if it has changed, else the answer has status 304.

        `missing`: that there is none is an answer as well, with status 404.
        """
        headers = {"If-None-Match": etag} if etag else {}
        return self.ask("GET", path, query, headers=headers, missing=missing)

    def pages(self, path: str, items: str, query: Query | None = None, most: int | None = None) -> Paged:
        """Ask for a list whose items stand under a name; `most`: of them, where not all are wanted."""
        answer = self.get(path, query)
        first = _listing(answer.document, items, self.service)
        found, seen = list(first[items]), {""}
        following = first.get("next")
        while following and (most is None or len(found) < most):
            if not isinstance(following, str) or following in seen or len(seen) > MOST_PAGES:
                raise TerminalError(f"{self.service} gives a list that goes on without end", PROTOCOL)
            seen.add(following)
            page = _listing(self._follow(following), items, self.service)
            found += page[items]
            following = page.get("next")
        found = found[:most]
        whole = {**first, "count": len(found), "next": following or None, items: found}
        return Paged(whole, found)

    def ask(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        missing: bool = False,
    ) -> Received:
        """Ask below /api. Raises TerminalError unless it is answered as asked."""
        content = None if body is None else msgspec.json.encode(body)
        fields = dict(headers or {})
        if content is not None:
            fields["Content-Type"] = "application/json"
        pairs = [
            (name, value)
            for name, values in (query or {}).items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        url = self._base.copy_with(path=f"{MOUNT}/api{path}", params=pairs or None)
        return self._asked(method, url, content, fields, missing=missing)

    def _follow(self, following: str) -> Any:
        """Ask for what a list says comes next: on this service, whatever it says."""
        parts = urlsplit(following)
        if parts.scheme or parts.netloc or not parts.path.startswith(f"{MOUNT}/"):
            raise TerminalError(f"{self.service} sends elsewhere for the rest of a list", PROTOCOL)
        url = self._base.copy_with(raw_path=following.encode("ascii", "ignore"))
        return self._asked("GET", url, None, {}).document

    def _asked(
        self,
        method: str,
        url: httpx2.URL,
        content: bytes | None,
        headers: Mapping[str, str],
        *,
        missing: bool = False,
    ) -> Received:
        with self._explained(), self._http.stream(method, url, content=content, headers=headers) as response:
            if missing and is_absence(response):
                return Received(response.status_code, None)
            return made_out(response, self._body(response), self.service)

    def _body(self, response: httpx2.Response) -> bytes:
        """Read it within the time: a peer that drips does not hold us."""
        end = time.monotonic() + self._seconds
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                raise TerminalError(f"{self.service} answers with more than {LARGEST >> 20} MiB", PROTOCOL)
            if time.monotonic() > end:
                raise self._late()
        return b"".join(parts)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what a failing connection means."""
        try:
            yield
        except httpx2.TimeoutException as error:
            raise self._late() from error
        except httpx2.DecodingError as error:
            raise TerminalError(f"{self.service} answers what cannot be inflated", PROTOCOL) from error
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error

    def _late(self) -> TerminalError:
        return TerminalError(
            f"{self.service} gave no whole answer within {self._seconds:g} s (--timeout)", UNAVAILABLE
        )

    def _unreachable(self, error: httpx2.TransportError) -> TerminalError:
        cause = _first(error, ssl.SSLError)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TerminalError(
                f"the certificate of {self.service} is not believed ({cause.verify_message}): name its CA"
                " with --ca or X509_CERT_DIR",
                CONFIG,
            )
        if isinstance(cause, ssl.SSLError):
            reason = cause.reason or str(cause)
            for alert, meaning in _ALERTS.items():
                if reason.endswith(f"ALERT_{alert}"):
                    return TerminalError(
                        f"{self.service} does not accept the certificate {self._certificate}: {meaning}",
                        FORBIDDEN,
                    )
            return TerminalError(f"{self.service} does not speak TLS as we do: {reason}", PROTOCOL)
        if isinstance(error, httpx2.ProtocolError) and not isinstance(error, httpx2.RemoteProtocolError):
            return TerminalError(f"{self.service} cannot be asked so: {error}", PROTOCOL)
        system = _first(error, OSError)
        reason = (
            (system.strerror if isinstance(system, OSError) else None) or str(error) or "the connection broke"
        )
        return TerminalError(f"{self.service} cannot be reached: {reason}", UNAVAILABLE)


def _first(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """Find what lies at the bottom of an error, of one kind."""
    found = None
    while error is not None:
        if isinstance(error, kind):
            found = error
        error = error.__cause__ or error.__context__
    return found


def _listing(document: Any, items: str, service: str) -> dict[str, Any]:
    if not isinstance(document, dict) or not isinstance(document.get(items), list):
        raise TerminalError(
            f"{service} gave no list of {items}: it is older or newer than rcmon-cli {VERSION}", PROTOCOL
        )
    return document


def part(name: str) -> str:
    """Write a name as a part of a path."""
    return quote(name, safe="")
