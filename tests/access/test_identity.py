"""Who a verified chain proves: proxies are walked by their extension, and anything unusual is refused."""

import contextlib
import datetime as dt
import ipaddress
from collections.abc import Callable

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from rcmon.access.chain import ProxyCertInfo, read_proxy_cert_info
from rcmon.access.der.alternative_names import AlternativeNames, read_alternative_names
from rcmon.access.der.asn1 import DerError
from rcmon.access.der.oids import INHERIT_ALL, LIMITED
from rcmon.access.identity import MAX_PROXY_DEPTH, REFUSALS, identify
from rcmon.access.names.dn import Dn
from rcmon.errors import IdentityError
from tests.access import pki
from tests.access.pki import Credential

ROOT = pki.authority(pki.name("DC=ch", "DC=cern", "CN=Root"))
ISSUING = pki.authority(pki.name("DC=ch", "DC=cern", "CN=Issuing"), ROOT)
ALICE = pki.entity(pki.name("DC=ch", "DC=cern", "OU=Users", "CN=alice", "CN=654321", "CN=Alice"), ISSUING)
ALICE_DN = Dn.parse("/DC=ch/DC=cern/OU=Users/CN=alice/CN=654321/CN=Alice")


def chain(credential: Credential) -> list[bytes]:
    certificates = (credential.certificate, *credential.above, ROOT.certificate)
    return [certificate.public_bytes(pki.Encoding.DER) for certificate in certificates]


def refusal(credential: Credential) -> str:
    with pytest.raises(IdentityError) as caught:
        identify(chain(credential))
    assert caught.value.reason in REFUSALS
    return caught.value.reason


def repeated(times: int, **options: object) -> Credential:
    credential = ALICE
    for _ in range(times):
        credential = pki.proxy(credential, **options)  # type: ignore[arg-type]
    return credential


def test_an_ordinary_certificate_is_its_own_identity() -> None:
    """Numeric CNs are ordinary and never cut off."""
    identity = identify(chain(ALICE))
    assert identity.subject == ALICE_DN
    assert identity.issuer == Dn.parse("/DC=ch/DC=cern/CN=Issuing")
    assert identity.serial == ALICE.certificate.serial_number
    assert identity.not_after == ALICE.certificate.not_valid_after_utc.timestamp()
    assert (identity.limited, identity.proxy_depth) == (False, 0)
    assert [str(link.subject) for link in identity.chain][1:] == [
        "/DC=ch/DC=cern/CN=Issuing",
        "/DC=ch/DC=cern/CN=Root",
    ]


@pytest.mark.parametrize("depth", [1, 2, MAX_PROXY_DEPTH])
def test_the_first_certificate_that_is_no_proxy_is_the_identity(depth: int) -> None:
    identity = identify(chain(repeated(depth)))
    assert (identity.subject, identity.proxy_depth, identity.limited) == (ALICE_DN, depth, False)


def test_the_first_to_expire_ends_the_identity() -> None:
    short = pki.proxy(pki.proxy(ALICE, lasts=dt.timedelta(hours=1)))
    assert identify(chain(short)).not_after == short.above[0].not_valid_after_utc.timestamp()


@pytest.mark.parametrize("limited_at", [0, 1])
def test_one_limited_proxy_limits_the_whole(limited_at: int) -> None:
    languages = [INHERIT_ALL, INHERIT_ALL]
    languages[limited_at] = LIMITED
    first, second = languages
    assert identify(chain(pki.proxy(pki.proxy(ALICE, language=first), language=second))).limited


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: pki.proxy(ALICE, critical=False), "proxy_not_critical"),
        (lambda: pki.proxy(ALICE, language=pki.INDEPENDENT), "proxy_policy"),
        (lambda: pki.proxy(ALICE, language="1.2.3.4"), "proxy_policy"),
        (lambda: pki.proxy(pki.proxy(ALICE, language="1.2.3.4")), "proxy_policy"),
        (lambda: pki.proxy(ALICE, policy=b"read only"), "proxy_policy"),
        (lambda: pki.proxy(ALICE, policy=b""), "proxy_policy"),
        (lambda: pki.proxy(ALICE, value=b""), "proxy_malformed"),
        (lambda: pki.proxy(ALICE, value=b"\x30\x00"), "proxy_malformed"),
        (lambda: pki.proxy(ALICE, value=pki.proxy_cert_info(INHERIT_ALL) + b"\x00"), "proxy_malformed"),
        (lambda: pki.proxy(ALICE, path_length=0x80), "proxy_malformed"),
        (lambda: pki.proxy(ALICE, subject=pki.name("DC=ch", "CN=root")), "proxy_subject"),
        (lambda: pki.proxy(ALICE, subject=ALICE.certificate.subject), "proxy_subject"),
        (
            lambda: pki.proxy(ALICE, subject=pki.name("DC=ch", "DC=cern", "OU=Users", "CN=alice")),
            "proxy_subject",
        ),
        (
            lambda: pki.proxy(
                ALICE, subject=x509.Name([*ALICE.certificate.subject.rdns, *pki.name(["CN=1", "UID=x"]).rdns])
            ),
            "proxy_subject",
        ),
        (lambda: repeated(MAX_PROXY_DEPTH + 1), "proxy_depth"),
        (lambda: pki.entity(pki.name("DC=ch", "CN=a\x00b"), ISSUING), "name"),
        (lambda: pki.entity(pki.name("DC=ch", "CN=a\nb"), ISSUING), "name"),
        (
            lambda: pki.entity(pki.name("CN=a"), ISSUING, sans=[x509.DNSName("a.org\x00.b.org")]),
            "alternative_name",
        ),
        (
            lambda: pki.entity(
                pki.name("CN=a"), ISSUING, sans=[x509.UniformResourceIdentifier("spiffe://a b")]
            ),
            "alternative_name",
        ),
        (lambda: pki.issue(pki.name("CN=a"), ALICE, above=ISSUING.above), "chain"),
    ],
)
def test_refused(make: Callable[[], Credential], reason: str) -> None:
    assert refusal(make()) == reason


def test_no_chain_is_no_identity() -> None:
    with pytest.raises(IdentityError) as caught:
        identify(())
    assert caught.value.reason == "no_chain"


def test_a_chain_of_nothing_but_proxies_is_nobody() -> None:
    with pytest.raises(IdentityError) as caught:
        identify([pki.proxy(ALICE).der])
    assert caught.value.reason == "no_end_entity"


@given(st.binary(max_size=80) | st.integers(0, 400).map(lambda cut: ALICE.der[:cut]))
def test_bytes_that_are_no_certificate_are_malformed(data: bytes) -> None:
    with pytest.raises(IdentityError) as caught:
        identify([data])
    assert caught.value.reason == "malformed"


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
@given(st.integers(0, len(ALICE.der) - 1), st.integers(1, 255))
def test_a_certificate_with_a_changed_byte_is_an_identity_or_refused(at: int, change: int) -> None:
    data = bytearray(ALICE.der)
    data[at] ^= change
    reason = None
    try:
        identify([bytes(data), *chain(ALICE)[1:]])
    except IdentityError as error:
        reason = error.reason
    assert reason is None or reason in REFUSALS


@given(
    st.lists(st.integers(0, 2**40), max_size=8).map(lambda arcs: ".".join(map(str, (1, 3, *arcs)))),
    st.none() | st.binary(max_size=40),
    st.none() | st.integers(0, 127),
)
def test_proxy_cert_info_reads_back(language: str, policy: bytes | None, path_length: int | None) -> None:
    value = pki.proxy_cert_info(language, policy, path_length)
    assert read_proxy_cert_info(value) == ProxyCertInfo(language, policy, path_length)
    for cut in range(len(value)):
        with pytest.raises(DerError):
            read_proxy_cert_info(value[:cut])


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda data: pki.tlv(0x30, data)))
def test_any_bytes_as_an_extension_are_read_or_a_clear_error(data: bytes) -> None:
    for read in (read_proxy_cert_info, read_alternative_names):
        with contextlib.suppress(DerError):
            read(data)


ascii_names = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)


@given(st.lists(ascii_names), st.lists(ascii_names), st.lists(st.ip_addresses(), max_size=3))
def test_alternative_names_read_as_cryptography_writes_them(
    dns: list[str], uris: list[str], addresses: list[ipaddress.IPv4Address]
) -> None:
    names = x509.SubjectAlternativeName(
        [
            *map(x509.DNSName, dns),
            *map(x509.UniformResourceIdentifier, uris),
            *map(x509.IPAddress, addresses),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        ]
    )
    assert read_alternative_names(names.public_bytes()) == AlternativeNames(
        dns=tuple(name.lower() for name in dns), uris=tuple(uris), addresses=tuple(map(str, addresses))
    )


@pytest.mark.parametrize(
    ("uris", "expected"),
    [
        ([], None),
        (["spiffe://x/a"], "spiffe://x/a"),
        (["spiffe://x/a", "spiffe://x/b"], None),
        (["spiffe://x/a"] * 2, None),
    ],
)
def test_exactly_one_uri_counts(uris: list[str], expected: str | None) -> None:
    sans = [x509.UniformResourceIdentifier(uri) for uri in uris]
    assert identify(chain(pki.entity(pki.name("CN=workload"), ISSUING, sans=sans))).uri == expected


def test_alternative_names_of_the_end_entity_count_and_not_those_of_its_proxy() -> None:
    user = pki.entity(
        pki.name("CN=a"), ISSUING, sans=[x509.RFC822Name("a@cern.ch"), x509.DNSName("A.cern.ch")]
    )
    more = [(x509.SubjectAlternativeName([x509.DNSName("b.cern.ch")]), False)]
    assert identify(chain(pki.proxy(user, more=more))).sans == AlternativeNames(
        ("a.cern.ch",), (), ("a@cern.ch",)
    )


def test_every_refusal_is_a_label_with_a_sentence() -> None:
    for label, sentence in REFUSALS.items():
        assert label.replace("_", "").isalpha()
        assert sentence
