"""A strict reader of DER (X.690), for what no dependency reads as we need it: names, CRLs, VOMS.

It works on the original bytes and never copies more than it hands out. Whatever is not DER - a length
that is not minimal or runs over the end, a high tag number, nesting deeper than MAX_DEPTH - is a DerError.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import Struct

from rcmon.errors import RcmonError

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OID = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

MAX_DEPTH = 24
"""Levels of nesting: the deepest structure read here, a name in a VOMS attribute certificate, has 12."""
MAX_LENGTH_OCTETS = 4
HIGH_TAG = 0x1F
LONG_FORM = 0x80
TIME_FORMATS = {UTC_TIME: (13, "%y%m%d%H%M%SZ"), GENERALIZED_TIME: (15, "%Y%m%d%H%M%SZ")}
UTC_TIME_PIVOT = 50
"""RFC 5280, 4.1.2.5.1: a two-digit year from 50 on is 19YY."""


class DerError(RcmonError):
    """Bytes that are not the DER that was expected; the message says what was, and where."""


class Extension(Struct, frozen=True):
    """One X.509 extension: whether it is critical, and the bytes inside its OCTET STRING."""

    critical: bool
    value: bytes


def header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read the identifier and length at `at`: the tag, where the content starts, and where it ends."""
    if at + 2 > end:
        raise DerError(f"cut off at byte {at}: a tag and a length are missing")
    tag, length = data[at], data[at + 1]
    start = at + 2
    if tag & HIGH_TAG == HIGH_TAG:
        raise DerError(f"tag 0x{tag:02x} at byte {at}: high tag numbers do not occur here")
    if length & LONG_FORM:
        start, length = _long_length(data, at, end)
    if start + length > end:
        raise DerError(f"length {length} at byte {at} runs over the end")
    return tag, start, start + length


def _long_length(data: bytes, at: int, end: int) -> tuple[int, int]:
    octets = data[at + 1] & ~LONG_FORM
    start = at + 2 + octets
    if not 0 < octets <= MAX_LENGTH_OCTETS or start > end:
        raise DerError(f"length of {octets} octets at byte {at}: 1 to {MAX_LENGTH_OCTETS} are read")
    length = int.from_bytes(data[at + 2 : start])
    if length < LONG_FORM or data[at + 2] == 0:
        raise DerError(f"length {length} at byte {at} is not in its shortest form")
    return start, length


class DerReader:
    """Reads the elements of one constructed value in order; `data[pos:end]` is what is left of it."""

    __slots__ = ("data", "depth", "end", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise DerError(f"nested deeper than {MAX_DEPTH} levels at byte {pos}")
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end
        self.depth = depth

    def next_tag(self) -> int | None:
        """Tag of the next element, None at the end."""
        return self.data[self.pos] if self.pos < self.end else None

    def _take(self, tag: int) -> tuple[int, int, int]:
        seen, start, end = header(self.data, self.pos, self.end)
        if seen != tag:
            raise DerError(f"tag 0x{seen:02x} at byte {self.pos}, expected 0x{tag:02x}")
        before, self.pos = self.pos, end
        return before, start, end

    def enter(self, tag: int) -> "DerReader":
        """Step over the next element, which has this tag, and give a reader of its inside."""
        _, start, end = self._take(tag)
        return DerReader(self.data, start, end, self.depth + 1)

    def content(self, tag: int) -> bytes:
        """Step over the next element, which has this tag, and give its content."""
        _, start, end = self._take(tag)
        return self.data[start:end]

    def element(self, tag: int) -> bytes:
        """Step over the next element, which has this tag, and give it with its header."""
        before, _, end = self._take(tag)
        return self.data[before:end]

    def skip(self, tag: int) -> bool:
        """Step over the next element if it has this tag; whether it had."""
        if self.next_tag() != tag:
            return False
        self._take(tag)
        return True

    def finish(self) -> None:
        """Hold that nothing is left."""
        if self.pos != self.end:
            raise DerError(f"{self.end - self.pos} bytes too many at byte {self.pos}")

    def integer(self) -> int:
        """Read an INTEGER."""
        content = self.content(INTEGER)
        if not content:
            raise DerError(f"empty INTEGER before byte {self.pos}")
        return int.from_bytes(content, signed=True)

    def oid(self) -> str:
        """Read an OBJECT IDENTIFIER in dotted form."""
        return dotted(self.content(OID))

    def bits(self) -> bytes:
        """Read a BIT STRING of whole octets."""
        content = self.content(BIT_STRING)
        if not content or content[0] != 0:
            raise DerError(f"BIT STRING before byte {self.pos} is not of whole octets")
        return content[1:]

    def time(self) -> float:
        """Read a UTCTime or GeneralizedTime in the form of RFC 5280, 4.1.2.5; seconds since the epoch."""
        tag = self.next_tag()
        if tag not in TIME_FORMATS:
            raise DerError(f"no time at byte {self.pos}")
        return parse_time(tag, self.content(tag))

    def elements(self) -> Iterator[tuple[int, bytes]]:
        """Give the tag and content of each element that is left."""
        while (tag := self.next_tag()) is not None:
            yield tag, self.content(tag)


def parse_time(tag: int, content: bytes) -> float:
    """Turn a time's content to seconds since the epoch: to the second, in UTC, as RFC 5280 demands."""
    size, form = TIME_FORMATS[tag]
    if len(content) != size or not content[:-1].isdigit():
        raise DerError(f"time {content[:20]!r} is not of the form {form}")
    try:
        moment = datetime.strptime(content.decode(), form).replace(tzinfo=UTC)
        if tag == UTC_TIME:
            short = moment.year % 100
            moment = moment.replace(year=short + (1900 if short >= UTC_TIME_PIVOT else 2000))
    except ValueError as error:
        raise DerError(f"time {content[:20]!r} does not exist") from error
    return moment.timestamp()


def dotted(content: bytes) -> str:
    """Write the content of an OBJECT IDENTIFIER in dotted form."""
    if not content or content[-1] & LONG_FORM:
        raise DerError(f"cut off OBJECT IDENTIFIER {content[:20].hex()}")
    arcs: list[int] = []
    arc = 0
    for octet in content:
        if arc == 0 and octet == LONG_FORM:
            raise DerError(f"OBJECT IDENTIFIER {content[:20].hex()} is not in its shortest form")
        arc = arc << 7 | octet & ~LONG_FORM
        if not octet & LONG_FORM:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def extensions(inside: DerReader) -> dict[str, Extension]:
    """Read the inside of an Extensions value, by dotted OID; none may come twice (RFC 5280, 4.2)."""
    found: dict[str, Extension] = {}
    while inside.next_tag() is not None:
        extension = inside.enter(SEQUENCE)
        oid = extension.oid()
        critical = extension.next_tag() == BOOLEAN and extension.content(BOOLEAN) != b"\x00"
        value = extension.content(OCTET_STRING)
        extension.finish()
        if oid in found:
            raise DerError(f"extension {oid} occurs twice")
        found[oid] = Extension(critical, value)
    return found
