"""What is read of VOMS' attribute certificates, or why not."""

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rcmon.access.authority.authorities import Authorities
from rcmon.access.authority.voms import VomsAttributes
from rcmon.access.authority.voms.attribute_certificate import (
    MAX_CERTIFICATES,
    MAX_FQANS,
    read_attribute_certificates,
)
from rcmon.access.authority.voms.fqan import VomsError
from rcmon.access.chain import Chain
from rcmon.access.der.oids import VOMS_EXTENSION
from rcmon.access.names.dn import Dn
from rcmon.errors import RcmonError
from tests.access import crl_pki
from tests.access.pki import oid_der
from tests.access.voms_der import attribute_certificate, der, general_name, integer, parts, proxy_with
from tests.access.voms_der import voms_extension as wrapped
from tests.access.voms_site import ALICE, CA, SERVER, Site, signed

PLAIN = signed()


def test_an_attribute_certificate_is_read_whole() -> None:
    (found,) = read_attribute_certificates(PLAIN)
    assert (found.vo, found.host) == ("cms", "voms.example.org")
    assert found.fqans == ("/cms/Role=production", "/cms")
    assert found.holder == Dn.parse("/DC=ch/CN=CA")
    assert int.from_bytes(found.holder_serial) == ALICE.certificate.serial_number
    assert found.issuer == Dn.parse("/DC=ch/OU=computers/CN=voms.example.org")
    assert found.not_after - found.not_before == 11 * 3600
    assert [link.der for link in found.certificates] == [SERVER.der]


SERIAL = integer(ALICE.certificate.serial_number)
CA_NAME = general_name(CA.certificate.subject)
SECOND_LIST = der(
    0x30,
    oid_der("1.3.6.1.4.1.8005.100.100.4"),
    der(0x31, der(0x30, der(0xA0, der(0x86, b"cms://h:1")), der(0x30, der(0x04, b"/cms/admin")))),
)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": integer(0)}, "not of version 2"),
        ({"holder": der(0x30, der(0xA1, CA_NAME))}, "expected 0xa0"),
        ({"holder": der(0x30, der(0xA0, CA_NAME, SERIAL, der(0x03, b"\x00\x01")))}, "bytes too many"),
        ({"holder": der(0x30, der(0xA0, CA_NAME, SERIAL), der(0xA1, CA_NAME))}, "bytes too many"),
        ({"holder": der(0x30, der(0xA0, der(0x30, der(0x82, b"host")), SERIAL))}, "expected 0xa4"),
        ({"policy": b"cms"}, "is not of the form vo://host:port"),
        ({"policy": b"../cms://voms.example.org:1"}, "is not of the form vo://host:port"),
        ({"policy": b"cms://../../etc/x:1"}, "is not of the form vo://host:port"),
        ({"policy": b"cms://a/b:1"}, "is not of the form vo://host:port"),
        ({"policy": b"cms://h:1\n"}, "is not of the form vo://host:port"),
        ({"fqans": (b"/atlas/Role=production",)}, "is not of the VO cms"),
        ({"fqans": (b"/cms", b"/cmsx")}, "is not of the VO cms"),
        ({"fqans": (b"cms",)}, "is not of the form /vo/group"),
        ({"fqans": (b"/cms\n",)}, "is not of the form /vo/group"),
        ({"fqans": (b"/cms/\xff",)}, "is not of the form /vo/group"),
        ({"fqans": (b"/cms",) * (MAX_FQANS + 1)}, "more than 500 attributes"),
        ({"certificates": (SERVER.der,) * (MAX_CERTIFICATES + 1)}, "more than 8 of one kind"),
        ({"certificates": (b"\x30\x00",)}, "a certificate of the chain cannot be read"),
        ({"more_attributes": SECOND_LIST}, "holds 2 lists of attributes"),
        ({"not_after": b"20991399000000Z"}, "time"),
    ],
)
def test_what_is_malformed_is_an_error(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(RcmonError, match=reason):
        read_attribute_certificates(signed(**changes))


def test_sizes_are_bounded() -> None:
    with pytest.raises(VomsError, match="at most 131072 are read"):
        read_attribute_certificates(bytes(200_000))
    one = attribute_certificate(SERVER, parts(ALICE, SERVER))
    with pytest.raises(VomsError, match="more than 8 of one kind"):
        read_attribute_certificates(wrapped(*[one] * (MAX_CERTIFICATES + 1)))


def test_the_algorithm_inside_must_be_that_outside() -> None:
    other = der(0x30, oid_der("1.2.840.10045.4.3.3"))
    inside = attribute_certificate(SERVER, parts(ALICE, SERVER)).replace(
        der(0x30, oid_der("1.2.840.10045.4.3.2")), other, 1
    )
    with pytest.raises(VomsError, match="algorithm inside"):
        read_attribute_certificates(wrapped(inside))


@given(st.binary(max_size=300))
def test_any_octets_give_certificates_or_an_error(value: bytes) -> None:
    with contextlib.suppress(RcmonError):
        read_attribute_certificates(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


CHAIN = crl_pki.chain(proxy_with(ALICE, PLAIN), CA)


def carrying(value: bytes) -> Chain:
    """Put another extension into the proxy (whose signature OpenSSL, not these rules, checks)."""
    proxy = CHAIN[0]
    extension = replace_value(proxy.fields.extensions, value)
    return (replace(proxy, fields=replace(proxy.fields, extensions=extension)), *CHAIN[1:])


def replace_value(extensions: dict[str, object], value: bytes) -> dict[str, object]:
    return {**extensions, VOMS_EXTENSION: replace(extensions[VOMS_EXTENSION], value=value)}


@given(st.data())
def test_with_any_octet_changed_nothing_is_verified(site: Site, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(PLAIN) - 1))
    changed = bytes([PLAIN[at] ^ data.draw(st.integers(1, 255))])
    found = site.voms.fqans(carrying(PLAIN[:at] + changed + PLAIN[at + 1 :]), time.time())
    assert found
    assert not any(fqan.verified for fqan in found)
    assert all(fqan.reason for fqan in found)


@given(st.binary(max_size=200))
def test_any_extension_is_answered(value: bytes) -> None:
    voms = VomsAttributes(None, Authorities(Path("/nowhere")))
    for fqan in voms.fqans(carrying(value), 0.0):
        assert not fqan.verified
