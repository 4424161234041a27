"""The short way's request heads: only those that are canonical in every byte.

A head is taken here only where every HTTP parser reads it the same way: GET or HEAD, a path without query
or percent sign, CRLF, fields without repetition and none that changes the framing. Everything else is
left to Tornado's parser, which is the one truth for whatever is unusual.
"""

import re

MOST = 65536
"""Bytes that a head may have."""
END = re.compile(rb"\n\r?\n")
"""Ends a head, also one whose lines end by LF alone: that is refused, and not waited for its end."""
# a method, a path in origin form (RFC 9112, 3.2.1) of unreserved characters, HTTP/1.0 or 1.1, then fields
_HEAD = re.compile(rb"(GET|HEAD) (/[A-Za-z0-9_./~-]*) HTTP/1\.([01])\r\n((?:[A-Za-z0-9-]+: [ -~]*\r\n)*)\r\n")
_HOST = re.compile(r"[A-Za-z0-9.\-:\[\]]+")
_FRAMING = frozenset({"content-length", "transfer-encoding", "expect", "upgrade", "trailer", "te"})


_CLOSES = re.compile(rb"(?i)\n(?:connection|content-length|transfer-encoding|upgrade|expect)[ \t]*:")


def stays_open(head: bytes) -> bool:
    """Tell whether for sure no body follows a head, and its connection stays open behind the answer."""
    return b" HTTP/1.1\r\n" in head and _CLOSES.search(head) is None


class HeadFields(dict[str, str]):
    """Request fields by lower-case name; looked up in any case, like Tornado's HTTPHeaders."""

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Look a field up."""
        return super().get(name.lower(), default)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())


class Head:
    """A canonical head: what is asked and whether the connection stays open after the answer."""

    __slots__ = ("fields", "keep", "method", "path", "version")

    def __init__(self, method: str, path: str, version: str, fields: HeadFields, *, keep: bool) -> None:
        self.method, self.path, self.version, self.fields, self.keep = method, path, version, fields, keep


def parse(head: bytes) -> Head | None:
    """Read a head, up to and with its empty line; None where it is not canonical."""
    match = _HEAD.fullmatch(head)
    if match is None:
        return None
    lines = match[4].decode("ascii").split("\r\n")[:-1]
    fields = HeadFields()
    for line in lines:
        name, _, value = line.partition(": ")
        fields[name.lower()] = value.strip(" ")
    old = match[3] == b"0"
    host = fields.get("host")
    if len(fields) != len(lines) or not _FRAMING.isdisjoint(fields):
        return None
    if not _HOST.fullmatch(host or ("-" if old and host is None else "")):
        return None
    connection = (fields.get("connection") or "").lower()
    if connection not in ("", "keep-alive", "close"):
        return None
    keep = connection == "keep-alive" if old else connection != "close"
    version = "HTTP/1.0" if old else "HTTP/1.1"
    return Head(match[1].decode("ascii"), match[2].decode("ascii"), version, fields, keep=keep)
