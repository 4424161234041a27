"""The alternative names of a certificate's subject (RFC 5280, 4.2.1.6)."""

import ipaddress
import re

from msgspec import Struct

from rcmon.access.der import asn1
from rcmon.access.der.asn1 import DerError, DerReader

_EMAIL, _DNS, _URI, _IP = 0x81, 0x82, 0x86, 0x87
_IP_SIZES = {4, 16}
_VISIBLE = re.compile(rb"[!-~]+")


class AlternativeNames(Struct, frozen=True):
    """Alternative names of the kinds that can name a client, in the certificate's order."""

    dns: tuple[str, ...] = ()
    """In lower case."""
    uris: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    """IP addresses."""


def read_alternative_names(value: bytes) -> AlternativeNames:
    """Read the extension's value. Raises DerError, also where a name is not visible ASCII."""
    outer = DerReader(value)
    found: dict[int, list[str]] = {_EMAIL: [], _DNS: [], _URI: [], _IP: []}
    for tag, content in outer.enter(asn1.SEQUENCE).elements():
        if tag == _IP:
            found[tag].append(_address(content))
        elif tag in found:
            found[tag].append(_visible(content))
    outer.finish()
    return AlternativeNames(
        dns=tuple(name.lower() for name in found[_DNS]),
        uris=tuple(found[_URI]),
        emails=tuple(found[_EMAIL]),
        addresses=tuple(found[_IP]),
    )


def _visible(content: bytes) -> str:
    if not _VISIBLE.fullmatch(content):
        raise DerError(f"alternative name {content[:80]!r} is not visible ASCII")
    return content.decode("ascii")


def _address(content: bytes) -> str:
    if len(content) not in _IP_SIZES:
        raise DerError(f"IP address {content[:20].hex()} has {len(content)} octets, not 4 or 16")
    return str(ipaddress.ip_address(content))
