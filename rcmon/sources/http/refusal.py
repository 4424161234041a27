"""What is wrong with an answer, or with the way to it, in one line without any secret."""

import os
import socket
import ssl
from collections.abc import Iterator

import httpx2

from rcmon.errors import SourceError

_PASSING = frozenset({429, 502, 503, 504})
"""Statuses of a service that may answer a moment later."""
OK, NOT_MODIFIED = 200, 304


class PassingError(SourceError):
    """A fault that may be over in a moment."""


def check_head(response: httpx2.Response, *, kept: bool) -> None:
    """Look at an answer's status and type before its body is read; `kept`: 304 is an answer too.

    Raises SourceError, a PassingError where the same request may succeed a moment later.
    """
    status = response.status_code
    if status == NOT_MODIFIED and kept:
        return
    if response.has_redirect_location:
        raise SourceError(f"it redirects ({status}) to {_target(response)}, which is not followed")
    if status != OK:
        kind = PassingError if status in _PASSING else SourceError
        raise kind(f"it answers {status} {httpx2.codes.get_reason_phrase(status)}".rstrip())
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in {"text/html", "application/xhtml+xml"}:
        raise SourceError(f"it answers with a page for people ({media}) instead of JSON: a login, perhaps")


def refusal(error: Exception) -> SourceError:
    """Make what the library raised an error of ours."""
    chain = tuple(_chain(error))
    found = next((told for each in chain if (told := _of_tls(each))), None)
    if found is not None:
        return SourceError(found)
    if isinstance(error, httpx2.LocalProtocolError | httpx2.InvalidURL):
        return SourceError("it cannot be asked so: a setting does not fit into a request")
    for each in reversed(chain):
        if isinstance(each, OSError) and each.strerror:
            return PassingError(f"no connection: {_words(each)}")
    if isinstance(error, httpx2.RemoteProtocolError):
        return PassingError(f"it does not answer as HTTP asks: {error}")
    return PassingError("no connection, or it was cut")


def _of_tls(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with it: {error.reason or type(error).__name__}"
    return None


def _words(error: OSError) -> str:
    """Say an error in the system's own words; those of a name that is not known are its own."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return str(error.strerror)
    return os.strerror(error.errno)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _target(response: httpx2.Response) -> str:
    """Give a redirect's host; the rest of it may hold a secret."""
    try:
        host = httpx2.URL(response.headers["location"]).host
    except (httpx2.InvalidURL, ValueError):
        host = "?"
    return repr(host or response.url.host)
