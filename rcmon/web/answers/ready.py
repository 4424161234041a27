"""Answers that are ready to send: bytes in both content codings, with the head lines that go with them."""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from typing import Protocol

from rcmon.documents.deflated import GZIP_HEADER, gzip_end, inflate, inflate_chunks
from rcmon.model import Document
from rcmon.web.answers.headers import REVALIDATE, SECURITY, Field, lines
from rcmon.web.answers.negotiation import Coding

CHUNK = 16 * 1024
"""A larger body goes out in pieces of at most this size, a TLS record: a slow reader costs no more of it.

What has to be inflated costs its reader an inflater beside.
"""
KEPT = 64 * 1024
"""No larger than this, a document keeps its identity form once asked for it, and a stream is sent whole."""
WORTH_GZIP = 1024
"""A body below this goes as it is, as in Tornado's own compression."""

Parts = tuple[bytes, ...]


class Body(Protocol):
    """Where the bytes of an answer come from."""

    size: int
    """Length of the identity form."""
    digest: str
    """Hash of the identity form, hexadecimal: what ETags are made from."""

    def identity(self) -> Parts | None:
        """Give the bytes as they are; None where they are too many to keep."""
        ...

    def gzip(self) -> Parts:
        """Give the bytes as one gzip member."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes as they are, a chunk at a time."""
        ...


class Fresh:
    """A body just made."""

    def __init__(self, body: bytes, digest: str | None = None) -> None:
        """`digest`: what else than the bytes tells one state from another."""
        self.body, self.size = body, len(body)
        self.digest = digest or hashlib.sha256(body).hexdigest()[:20]

    def identity(self) -> Parts:
        """Give the bytes as they are."""
        return (self.body,)

    def gzip(self) -> Parts:
        """Compress; quickly, because it is for few requests."""
        compress = zlib.compressobj(3, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        return (compress.compress(self.body) + compress.flush(),)

    def chunks(self) -> Iterator[bytes]:
        """Give the whole."""
        yield self.body


class Kept:
    """A document of the snapshot, with a tail of this worker's where it is open-ended.

    Only the deflated form is held: `chunks` inflates while it is being read.
    """

    def __init__(self, document: Document, tail: bytes = b"") -> None:
        self.document, self.tail = document, tail
        self.size = document.size + len(tail)
        self.digest = document.digest
        if tail:
            self.digest = hashlib.sha256(document.digest.encode() + tail).hexdigest()[:20]

    def identity(self) -> Parts | None:
        """Inflate a small document; a large one is for `chunks`."""
        return (inflate(self.document), self.tail) if self.size <= KEPT else None

    def gzip(self) -> Parts:
        """Frame the document's own bytes, which are shared and never copied."""
        return GZIP_HEADER, self.document.body, gzip_end(self.document, self.tail)

    def chunks(self) -> Iterator[bytes]:
        """Inflate; raises StoreCorruptError behind the last chunk of a damaged document."""
        yield from inflate_chunks(self.document, CHUNK)
        yield self.tail


class Variant:
    """One content coding of an answer, with its head."""

    __slots__ = ("entity", "etag", "ok", "parts", "size", "stable", "unchanged")

    def __init__(
        self,
        etag: str,
        size: int,
        parts: Parts | None,
        entity: tuple[Field, ...],
        common: tuple[Field, ...],
    ) -> None:
        self.etag, self.size = etag, size
        self.parts = parts
        """The bytes in order; None: only `Body.chunks` gives them."""
        self.stable: tuple[Field, ...] = (*common, ("ETag", etag))
        """Header fields of a 200 and of a 304."""
        self.entity: tuple[Field, ...] = (*entity, ("Content-Length", str(size)))
        """Header fields of a 200 alone."""
        head = lines((*SECURITY, *self.stable))
        self.unchanged = b"HTTP/1.1 304 Not Modified\r\n" + head
        self.ok = b"HTTP/1.1 200 OK\r\n" + head + lines(self.entity)


class Ready:
    """An answer in every content coding; each is made when it is first asked for, then kept."""

    __slots__ = ("_common", "_variants", "body", "fields")

    def __init__(
        self,
        body: Body,
        media_type: str,
        *,
        vary: str = "Accept-Encoding",
        fields: tuple[Field, ...] = (),
        cache: Field = REVALIDATE,
    ) -> None:
        self.body = body
        self._common: tuple[Field, ...] = (("Vary", vary), cache)
        self.fields: tuple[Field, ...] = (("Content-Type", media_type), *fields)
        self._variants: dict[Coding, Variant] = {}

    def choose(self, acceptable: Sequence[Coding]) -> Variant | None:
        """Choose the form for a client by what it accepts, the preferred first; None: it accepts nothing."""
        if not acceptable:
            return None
        coding = acceptable[0]
        if self.body.size < WORTH_GZIP and "identity" in acceptable:
            coding = "identity"
        return self._variants.get(coding) or self._make(coding)

    def _make(self, coding: Coding) -> Variant:
        if coding == "gzip":
            parts = self.body.gzip()
            entity = (*self.fields, ("Content-Encoding", "gzip"))
            variant = Variant(f'"{self.body.digest}-gz"', sum(map(len, parts)), parts, entity, self._common)
        else:
            variant = Variant(
                f'"{self.body.digest}"', self.body.size, self.body.identity(), self.fields, self._common
            )
        self._variants[coding] = variant
        return variant


def matches(if_none_match: str | None, etag: str) -> bool:
    """Tell whether a client holds this very form already.

    An ETag stands in quotation marks, so that looking for it in the list as text finds exactly it, weak
    (`W/"…"`) or not, which is the comparison that RFC 9110 section 13.1.2 asks for.
    """
    return if_none_match is not None and (etag in if_none_match or if_none_match.strip() == "*")
