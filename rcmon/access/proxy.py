"""RFC 3820 proxy certificates: what their proxyCertInfo extension says, and whether rcmon takes it."""

from msgspec import Struct

from rcmon.access.der import asn1
from rcmon.access.der.asn1 import DerError, Reader

PROXY_CERT_INFO = "1.3.6.1.5.5.7.1.14"
INHERIT_ALL = "1.3.6.1.5.5.7.21.1"
LIMITED = "1.3.6.1.4.1.3536.1.1.1.9"
"""Globus: the bearer may move data and look, but start nothing."""


class ProxyCertInfo(Struct, frozen=True):
    """The extension as it was written (RFC 3820, 3.8)."""

    language: str
    """Object identifier of the policy language: how many of the issuer's rights the proxy has."""
    policy: bytes | None = None
    path_length: int | None = None
    """How many proxies may follow below it (OpenSSL enforces it); None: any number."""


def read_proxy_cert_info(value: bytes) -> ProxyCertInfo:
    """Read the extension's value. Raises DerError."""
    outer = Reader(value)
    info = outer.enter(asn1.SEQUENCE)
    outer.finish()
    path_length = info.integer() if info.next_tag() == asn1.INTEGER else None
    if path_length is not None and path_length < 0:
        raise DerError(f"path length {path_length} is negative")
    policy = info.enter(asn1.SEQUENCE)
    info.finish()
    language = policy.oid()
    text = policy.content(asn1.OCTET_STRING) if policy.next_tag() is not None else None
    policy.finish()
    return ProxyCertInfo(language, text, path_length)
