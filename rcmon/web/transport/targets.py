"""Targets in absolute form (RFC 9112, 3.2.2): what clients send to a proxy, and every server must take."""

import re

from msgspec import Struct

_ABSOLUTE = re.compile(rb"(?i)(https?)://([^/?#]*)([^#]*)")
_HOST = re.compile(rb"(?im)^host[ \t]*:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")
"""The field with the lines that it goes on in."""


class Absolute(Struct, frozen=True):
    """An address in place of a path."""

    scheme: bytes
    """In lower case."""
    authority: bytes
    """Host and port: it counts in place of the Host field."""
    path: bytes
    """With its query; never empty."""


def absolute(target: bytes) -> Absolute | None:
    """Read a target; None where it is no address of HTTP."""
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        return None
    path = match[3] if match[3].startswith(b"/") else b"/" + match[3]
    return Absolute(match[1].lower(), match[2], path)


def in_origin_form(head: bytes) -> bytes:
    """Write a head with a path for its target, and the Host of its address; there is no objection to it."""
    first, end, rest = head.lstrip(b"\r\n").partition(b"\r\n")
    method, _, target = first.partition(b" ")
    target, _, version = target.rpartition(b" ")
    found = absolute(target)
    if found is None:
        return head
    fields = _HOST.sub(b"", rest)
    return b"%b %b %b%bHost: %b\r\n%b" % (method, found.path, version, end, found.authority, fields)
