"""Distinguished names, compared as what they mean and never as text.

Two names are equal when their RDNs are, in order; an RDN is a set of (attribute type, value); values are
compared exactly after Unicode normalisation (NFC). Which string type or escape a value was written with
makes no difference; case, spaces and everything else does.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property

from msgspec import Struct

from rcmon.access.der import directory_string
from rcmon.access.der.asn1 import SEQUENCE, SET, DerError, DerReader
from rcmon.access.names import rfc4514 as dn_rfc4514
from rcmon.access.names import slash as dn_slash
from rcmon.errors import RcmonError

Rdn = frozenset[tuple[str, str]]
"""One relative distinguished name: pairs of dotted object identifier and value."""

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, and what breaks or turns round a line of text: none has business in a name."""


class DnError(RcmonError):
    """What is not a distinguished name, or one that no certificate should hold."""


class Dn(Struct, frozen=True, dict=True):
    """A distinguished name: its RDNs, outermost first. `Dn()` is the empty name."""

    rdns: tuple[Rdn, ...] = ()

    @classmethod
    def of(cls, rdns: Iterable[Iterable[tuple[str, str]]]) -> "Dn":
        """Build a name from pairs of dotted object identifier and value, by RDN, outermost first.

        Raises DnError for a control character in a value, a repeated attribute and an empty RDN.
        """
        return cls(tuple(_rdn(pairs) for pairs in rdns))

    @classmethod
    def from_der(cls, data: bytes) -> "Dn":
        """Read the DER of an X.501 Name. Raises DnError."""
        try:
            outer = DerReader(data)
            names = outer.enter(SEQUENCE)
            outer.finish()
            return cls.of(list(_read_rdns(names)))
        except (DerError, ValueError) as error:
            raise DnError(f"not a distinguished name in DER: {error}") from error

    @classmethod
    def parse(cls, text: str) -> "Dn":
        """Read a name in slash form or as RFC 4514 writes it: the first character tells. Raises DnError."""
        form = dn_slash if text.startswith("/") else dn_rfc4514
        try:
            return cls.of(form.parse(text))
        except (DerError, DnError, ValueError) as error:
            raise DnError(f"{text!r} is not a distinguished name: {error}") from error

    def __str__(self) -> str:
        return self.slash()

    def slash(self) -> str:
        """Write the name in slash form, as grid software does."""
        return self._slash

    @cached_property
    def _slash(self) -> str:
        # written once: the name of whoever is remembered is told for each of his connections
        return dn_slash.write([sorted(rdn) for rdn in self.rdns])

    def rfc4514(self) -> str:
        """Write the name as RFC 4514 does."""
        return dn_rfc4514.write([sorted(rdn) for rdn in self.rdns])


def _read_rdns(names: DerReader) -> Iterator[list[tuple[str, str]]]:
    while names.next_tag() is not None:
        attributes = names.enter(SET)
        pairs = []
        while attributes.next_tag() is not None:
            attribute = attributes.enter(SEQUENCE)
            pairs.append((attribute.oid(), directory_string.decode(*next(attribute.elements(), (0, b"")))))
            attribute.finish()
        yield pairs


def _rdn(pairs: Iterable[tuple[str, str]]) -> Rdn:
    attributes = [(oid, _normal(value)) for oid, value in pairs]
    rdn = frozenset(attributes)
    if not rdn or len(rdn) != len(attributes):
        raise DnError("an RDN is empty or repeats an attribute")
    return rdn


def _normal(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    if match := _UNSEEN.search(value):
        raise DnError(f"the value {value!r} holds the control character U+{ord(match[0]):04X}")
    return unicodedata.normalize("NFC", value)
