"""Answers without any handler: to whoever is nobody or asks too often, and to what is no request."""

from rcmon.telemetry.own import METHODS, OTHER
from rcmon.web.answers import problems
from rcmon.web.answers.headers import NO_STORE, SECURITY, Field, lines

DETAILS = {
    400: "This is not an HTTP/1.1 request as RFC 9112 defines it.",
    408: "The body of the request did not arrive in time.",
    431: "The head of the request is larger than 64 KiB.",
    500: "The service failed at this request; its log says more.",
}


def answer(
    status: int, detail: str, head: bytes, date: bytes, request_id: str, *more: Field, keep: bool = False
) -> bytes:
    """Write a whole answer with a problem document to the request that begins with `head`.

    `keep`: the connection stays open behind it.
    """
    body = problems.document(status, detail, "", {})
    fields = (
        *SECURITY,
        NO_STORE,
        ("Content-Type", problems.MEDIA_TYPE),
        ("Content-Length", str(len(body))),
        ("X-Request-Id", request_id),
        *more,
        *(() if keep else (("Connection", "close"),)),
    )
    start = f"HTTP/1.1 {status} {problems.title(status)}\r\n".encode()
    return start + lines(fields) + date + b"\r\n" + (b"" if method_of(head) == "HEAD" else body)


def method_of(head: bytes) -> str:
    """Name the method of a request as it is counted and logged: never a client's invention."""
    method = head.lstrip(b"\r\n")[:8].partition(b" ")[0].decode("latin-1")
    return method if method in METHODS else OTHER
