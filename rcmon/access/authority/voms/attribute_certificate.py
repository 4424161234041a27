"""The attribute certificates that VOMS puts in proxies (RFC 5755, OGF GFD.182)."""

import re

from msgspec import Struct

from rcmon.access.authority.voms.fqan import VomsError, normalise
from rcmon.access.chain import ChainLink, read_link
from rcmon.access.der import asn1, oids
from rcmon.access.der.asn1 import DerReader, Extension
from rcmon.access.names.dn import Dn

MAX_EXTENSION = 128 * 1024
"""Octets in one proxy; a user with 30 attributes of one VO has 5 KB."""
MAX_CERTIFICATES = 8
"""Attribute certificates in one proxy, and certificates of an issuer's chain in one of them."""
MAX_FQANS = 500

BASE_CERTIFICATE_ID = 0xA0
V2_FORM = 0xA0
POLICY_AUTHORITY = 0xA0
DIRECTORY_NAME = 0xA4
DNS_NAME = 0x82
URI = 0x86
CONSTRUCTED = 0x20

POLICY = re.compile(
    r"(?P<vo>[A-Za-z0-9][A-Za-z0-9._-]*)://(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*)(?::\d{1,5})?", re.ASCII
)


class AttributeCertificate(Struct, frozen=True):
    """One attribute certificate as it was written. Times: seconds since the epoch."""

    vo: str
    host: str
    """Of the VOMS server, as it calls itself."""
    fqans: tuple[str, ...]
    """Normalised, in their order."""
    holder: Dn
    """The holder's issuer, or (VOMS servers before 2.0) subject."""
    holder_serial: bytes
    issuer: Dn
    not_before: float
    not_after: float
    extensions: dict[str, Extension]
    certificates: tuple[ChainLink, ...]
    """The issuer's certificate, and those above it that the server sent."""
    signed: bytes
    algorithm: bytes
    signature: bytes


def read_attribute_certificates(value: bytes) -> tuple[AttributeCertificate, ...]:
    """Read the value of a proxy's VOMS extension. Raises RcmonError."""
    if len(value) > MAX_EXTENSION:
        raise VomsError(f"the VOMS extension has {len(value)} octets, at most {MAX_EXTENSION} are read")
    whole = DerReader(value)
    outer = whole.enter(asn1.SEQUENCE)
    whole.finish()
    inner = outer.enter(asn1.SEQUENCE)
    outer.finish()
    elements = _elements(inner, asn1.SEQUENCE, MAX_CERTIFICATES)
    return tuple(map(_read, elements))


def _elements(inside: DerReader, tag: int, limit: int) -> list[bytes]:
    elements = []
    while inside.next_tag() is not None:
        elements.append(inside.element(tag))
        if len(elements) > limit:
            raise VomsError(f"more than {limit} of one kind, which is more than anybody has")
    return elements


def _read(data: bytes) -> AttributeCertificate:
    outer = DerReader(data).enter(asn1.SEQUENCE)
    signed = outer.element(asn1.SEQUENCE)
    algorithm, signature = outer.element(asn1.SEQUENCE), outer.bits()
    outer.finish()
    info = DerReader(signed).enter(asn1.SEQUENCE)
    if info.integer() != 1:
        raise VomsError("the attribute certificate is not of version 2")
    holder, holder_serial = _holder(info.enter(asn1.SEQUENCE))
    issuer = _directory_name(info.enter(V2_FORM).enter(asn1.SEQUENCE))
    if info.element(asn1.SEQUENCE) != algorithm:
        raise VomsError("the algorithm inside the signature is another than outside it")
    info.integer()  # the serial number: nothing is known to revoke by it (noRevAvail)
    validity = info.enter(asn1.SEQUENCE)
    not_before, not_after = validity.time(), validity.time()
    vo, host, fqans = _attributes(info.enter(asn1.SEQUENCE))
    info.skip(asn1.BIT_STRING)
    extensions = asn1.extensions(info.enter(asn1.SEQUENCE)) if info.next_tag() is not None else {}
    info.finish()
    return AttributeCertificate(
        vo=vo,
        host=host,
        fqans=fqans,
        holder=holder,
        holder_serial=holder_serial,
        issuer=issuer,
        not_before=not_before,
        not_after=not_after,
        extensions=extensions,
        certificates=_certificates(extensions.get(oids.VOMS_CERTIFICATES)),
        signed=signed,
        algorithm=algorithm,
        signature=signature,
    )


def _holder(holder: DerReader) -> tuple[Dn, bytes]:
    """Read the holder, who is named by a certificate's issuer and serial number and nothing else."""
    base = holder.enter(BASE_CERTIFICATE_ID)
    holder.finish()
    name, serial = _directory_name(base.enter(asn1.SEQUENCE)), base.content(asn1.INTEGER)
    base.finish()
    return name, serial


def _directory_name(names: DerReader) -> Dn:
    """Read GeneralNames that hold one directory name."""
    inside = names.enter(DIRECTORY_NAME)
    names.finish()
    name = inside.element(asn1.SEQUENCE)
    inside.finish()
    return Dn.from_der(name)


def _attributes(attributes: DerReader) -> tuple[str, str, tuple[str, ...]]:
    """Read VO, host and FQANs: there is one attribute of this type, and it has one value."""
    found = []
    while attributes.next_tag() is not None:
        attribute = attributes.enter(asn1.SEQUENCE)
        if attribute.oid() == oids.VOMS_FQANS:
            values = attribute.enter(asn1.SET)
            found.append(values.enter(asn1.SEQUENCE))
            values.finish()
    if len(found) != 1:
        raise VomsError(f"the attribute certificate holds {len(found)} lists of attributes instead of one")
    authority, values = found[0].enter(POLICY_AUTHORITY), found[0].enter(asn1.SEQUENCE)
    uri = authority.content(URI)
    policy = POLICY.fullmatch(uri.decode("latin-1"))
    if policy is None:
        raise VomsError(f"the policy authority {uri[:80]!r} is not of the form vo://host:port")
    fqans = []
    while values.next_tag() is not None:
        fqans.append(_fqan(values.content(asn1.OCTET_STRING), policy["vo"]))
        if len(fqans) > MAX_FQANS:
            raise VomsError(f"more than {MAX_FQANS} attributes")
    return policy["vo"], policy["host"], tuple(fqans)


def _fqan(content: bytes, vo: str) -> str:
    fqan = normalise(content.decode("latin-1"))
    if fqan.split("/")[1] != vo:
        raise VomsError(f"the attribute {fqan} is not of the VO {vo} that it was issued for")
    return fqan


def _certificates(extension: Extension | None) -> tuple[ChainLink, ...]:
    if extension is None:
        return ()
    certificates = DerReader(extension.value).enter(asn1.SEQUENCE).enter(asn1.SEQUENCE)
    return tuple(map(read_link, _elements(certificates, asn1.SEQUENCE, MAX_CERTIFICATES)))


def target_hosts(extension: Extension) -> frozenset[str]:
    """List the hosts that an attribute certificate is meant for: every URI and DNS name in it."""
    found: set[str] = set()
    open_readers = [DerReader(extension.value)]
    while open_readers:
        reader = open_readers.pop()
        while (tag := reader.next_tag()) is not None:
            if tag & CONSTRUCTED:
                open_readers.append(reader.enter(tag))
            elif tag in {URI, DNS_NAME}:
                found.add(reader.content(tag).decode("latin-1").lower())
            else:
                reader.content(tag)
    return frozenset(found)
