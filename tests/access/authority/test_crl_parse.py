"""One revocation list: what is read, and what is refused and why."""

import datetime as dt
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from rcmon.access.authority.crl.parse import CHUNK, CrlError, NotYetValidError, RevocationList, read_crl
from rcmon.access.chain import ChainLink, read_link
from rcmon.access.der.asn1 import BIT_STRING, SEQUENCE, DerReader
from rcmon.access.names.dn import Dn
from tests.access import pki
from tests.access.crl_pki import crl
from tests.access.pki import Credential
from tests.access.voms_der import der

CA_NAME = pki.name("DC=ch", "DC=cern", "CN=CA")
CA = pki.authority(CA_NAME)
IMPOSTOR = pki.authority(CA_NAME)
ALICE = pki.entity(pki.name("DC=ch", "CN=alice"), CA)
BOB = pki.entity(pki.name("DC=ch", "CN=bob"), CA)
PLAIN = crl(CA, [ALICE], number=7)
CA_CONSTRAINTS = (x509.BasicConstraints(ca=True, path_length=None), True)


def read(data: bytes, *trusted: Credential, now: float | None = None) -> RevocationList:
    links = [read_link(each.der) for each in trusted or (CA,)]

    def find(name: Dn) -> list[ChainLink]:
        return [link for link in links if link.subject == name]

    return read_crl(data, find, time.time() if now is None else now, lambda: None)


def serial(credential: Credential) -> bytes:
    return read_link(credential.der).fields.serial


def test_a_list_is_read_whole() -> None:
    found, expected = read(PLAIN), x509.load_der_x509_crl(PLAIN)
    assert found.issuer == Dn.parse("/DC=ch/DC=cern/CN=CA")
    assert found.this_update == expected.last_update_utc.timestamp()
    assert expected.next_update_utc
    assert found.next_update == expected.next_update_utc.timestamp()
    assert found.number == 7
    assert len(found.serials) == 1
    assert serial(ALICE) in found.serials
    assert serial(BOB) not in found.serials


def test_a_list_without_entries_and_extensions_is_read() -> None:
    found = read(crl(CA))
    assert (len(found.serials), found.number) == (0, None)


@pytest.mark.parametrize("count", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_every_entry_counts_wherever_the_chunks_end(count: int) -> None:
    serials = [(1 << 150) + at * 257 for at in range(count)]
    reasons = [(x509.CRLReason(x509.ReasonFlags.key_compromise), False)]
    found = read(crl(CA, serials, entry_extensions=reasons)).serials
    assert len(found) == count
    assert all(each.to_bytes(19) in found for each in serials)
    assert ((1 << 150) + 1).to_bytes(19) not in found


def test_pauses_grow_with_the_entries() -> None:
    """So that no stretch of work between two of them does."""
    link = read_link(CA.der)

    def pauses(count: int) -> int:
        made: list[int] = []
        read_crl(crl(CA, range(1, count + 1)), lambda _: [link], time.time(), lambda: made.append(1))
        return len(made)

    assert pauses(3 * CHUNK) - pauses(CHUNK) == 2


def test_a_wrong_signature_is_refused() -> None:
    with pytest.raises(CrlError, match="signature is not valid"):
        read(crl(IMPOSTOR, [ALICE]))


def test_a_changed_entry_breaks_the_signature() -> None:
    content = serial(ALICE)
    assert content in PLAIN
    with pytest.raises(CrlError, match="signature is not valid"):
        read(PLAIN.replace(content, content[:-1] + bytes([content[-1] ^ 1])))


def test_of_several_cas_of_one_name_the_signer_is_found() -> None:
    found = read(crl(IMPOSTOR, [ALICE]), CA, IMPOSTOR)
    assert found.public_key == read_link(IMPOSTOR.der).fields.public_key


def test_a_list_of_an_unknown_ca_is_refused() -> None:
    with pytest.raises(CrlError, match="its issuer /CN=Other is none of the trusted CAs"):
        read(crl(pki.authority(pki.name("CN=Other"))))


@pytest.mark.parametrize(
    "ca",
    [pki.entity(CA_NAME, CA), pki.issue(CA_NAME, None, extensions=[CA_CONSTRAINTS, (pki.ANY_USE, True)])],
    ids=["end entity", "no cRLSign"],
)
def test_who_may_not_sign_lists_signs_none(ca: Credential) -> None:
    with pytest.raises(CrlError, match="may not sign revocation lists"):
        read(crl(ca, [ALICE]), ca)


def test_a_list_signed_with_rsa_is_read() -> None:
    key = rsa.generate_private_key(65537, 2048)
    ca = pki.issue(pki.name("CN=RSA"), None, key=key, extensions=[CA_CONSTRAINTS])
    assert serial(ALICE) in read(crl(ca, [ALICE], algorithm=hashes.SHA512()), ca).serials


ONLY_USERS = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
INDIRECT = x509.IssuingDistributionPoint(None, None, False, False, None, True, False)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@pytest.mark.parametrize(
    ("extension", "reason"),
    [
        (x509.DeltaCRLIndicator(5), "it is a delta"),
        (ONLY_USERS, "it is a part of a list"),
        (INDIRECT, "indirect"),
        (UNKNOWN, "critical extension 1.2.3.4 is not understood"),
    ],
    ids=["delta", "part", "indirect", "unknown"],
)
def test_a_list_that_is_not_the_whole_word_of_its_ca_is_refused(
    extension: x509.ExtensionType, reason: str
) -> None:
    with pytest.raises(CrlError, match=reason):
        read(crl(CA, [ALICE], extensions=[(extension, True)]))


def test_extensions_that_change_nothing_are_passed_over() -> None:
    key = x509.AuthorityKeyIdentifier.from_issuer_public_key(CA.key.public_key())  # type: ignore[arg-type]
    assert serial(ALICE) in read(crl(CA, [ALICE], extensions=[(key, False), (UNKNOWN, False)])).serials


def test_a_critical_extension_of_an_entry_refuses_the_list() -> None:
    name = x509.CertificateIssuer([x509.DirectoryName(pki.name("CN=Other"))])
    with pytest.raises(CrlError, match=r"critical extension 2.5.29.29 of one of its entries"):
        read(crl(CA, [ALICE], entry_extensions=[(name, True)]))


def test_bytes_that_only_look_critical_do_not() -> None:
    value = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x01\x01\xff")
    assert serial(ALICE) in read(crl(CA, [ALICE], entry_extensions=[(value, False)])).serials


def test_a_list_from_the_future_may_be_good_later() -> None:
    early = crl(CA, [ALICE], begins=dt.timedelta(hours=1))
    with pytest.raises(NotYetValidError, match="in the future"):
        read(early)
    assert serial(ALICE) in read(early, now=time.time() + 3600).serials


def test_a_list_without_an_end_is_refused() -> None:
    algorithm = pki.tlv(0x30, pki.oid_der("1.2.840.10045.4.3.2"))
    this_update = pki.tlv(0x17, b"260101000000Z")
    tbs = pki.tlv(0x30, algorithm + CA_NAME.public_bytes() + this_update)
    with pytest.raises(CrlError, match="no nextUpdate"):
        read(pki.tlv(0x30, tbs + algorithm + pki.tlv(0x03, b"\x00\x00")))


def test_the_algorithm_inside_must_be_that_outside() -> None:
    """Even where both mean the same: only the inner one is signed (RFC 5280, 5.1.1.2)."""
    outer = DerReader(PLAIN).enter(SEQUENCE)
    tbs, algorithm, signature = outer.element(SEQUENCE), outer.content(SEQUENCE), outer.element(BIT_STRING)
    with pytest.raises(CrlError, match="algorithm inside"):
        read(der(SEQUENCE, tbs, der(SEQUENCE, algorithm, b"\x05\x00"), signature))


@given(st.data())
def test_a_list_with_any_octet_changed_is_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(PLAIN) - 1))
    changed = bytes([PLAIN[at] ^ data.draw(st.integers(1, 255))])
    with pytest.raises(CrlError):
        read(PLAIN[:at] + changed + PLAIN[at + 1 :])


@given(st.integers(0, len(PLAIN) - 1))
def test_a_list_cut_off_anywhere_is_refused(size: int) -> None:
    with pytest.raises(CrlError):
        read(PLAIN[:size])


@given(st.binary(max_size=300))
def test_any_bytes_give_a_crl_error(data: bytes) -> None:
    with pytest.raises(CrlError):
        read(data)


@given(st.sets(st.integers(1, 2**159 - 1), max_size=60), st.integers(1, 2**159 - 1))
def test_serials_are_found_exactly_as_cryptography_finds_them(serials: set[int], other: int) -> None:
    made = crl(CA, serials)
    found, expected = read(made).serials, x509.load_der_x509_crl(made)
    for each in (*serials, other):
        content = each.to_bytes(each.bit_length() // 8 + 1)
        assert (content in found) == (expected.get_revoked_certificate_by_serial_number(each) is not None)
    assert len(found) == len(expected)
