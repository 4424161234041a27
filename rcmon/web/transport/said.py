"""What a request says of itself for the log: its path, the program that sends it, its identifier."""

import re
import secrets
from collections.abc import Iterator
from itertools import count

import msgspec
from msgspec import Struct

_TARGET = re.compile(rb"\s*[^ \r\n]+ ([^ \r\n]+)")
_AGENT = re.compile(rb"(?i)\nuser-agent:[ \t]*([^\r\n]*)")
_ID = re.compile(rb"(?i)\nx-request-id:[ \t]*([A-Za-z0-9._~+/=@:-]{1,128})[ \t]*\r?\n")
"""What is taken over: what can be searched for, and stands in no log's way."""
_PATH_SHOWN, _AGENT_SHOWN = 256, 128
"""Characters that are logged of each; a head may have 64 KiB."""


class Said(Struct, frozen=True):
    """What one head says. Path and agent are quoted for the log."""

    path: str
    """As it was sent, with the query."""
    agent: str
    request_id: str
    """Of the client's choice; empty: it has none, or none that is sane."""


def said(head: bytes) -> Said:
    """Read it from a head, also from one that is no request."""
    return Said(
        quoted(_found(_TARGET, head, _PATH_SHOWN)),
        quoted(_found(_AGENT, head, _AGENT_SHOWN)),
        _found(_ID, head, 128),
    )


def request_ids() -> Iterator[str]:
    """Make identifiers for the requests of one process: no two processes make the same."""
    return map((secrets.token_hex(6) + "-{:x}").format, count(1))


def quoted(text: str) -> str:
    """Quote a text that a client chose, so that it can neither end its field nor forge a line."""
    return visible(msgspec.json.encode(text).decode())


def visible(text: str) -> str:
    """Write what would end a line, move the cursor or turn the line round as JSON escapes it."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(char: str) -> str:
    return char if char.isprintable() else "".join(f"\\u{unit:04x}" for unit in _units(char))


def _units(char: str) -> tuple[int, ...]:
    data = char.encode("utf-16-be")
    return tuple(int.from_bytes(data[start : start + 2]) for start in range(0, len(data), 2))


def _found(pattern: re.Pattern[bytes], head: bytes, most: int) -> str:
    match = pattern.search(head) if pattern is not _TARGET else pattern.match(head)
    text = match[1].decode("latin-1") if match else ""
    return text if len(text) <= most else text[:most] + "\u2026"
