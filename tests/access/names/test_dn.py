"""Distinguished names: read from DER and both written forms, compared exactly, printed to read back."""

import re
import unicodedata

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from rcmon.access.der import directory_string
from rcmon.access.names.attribute_types import NAMES
from rcmon.access.names.dn import Dn, DnError

C, O, OU, CN, DC, UID, EMAIL = (  # noqa: E741
    "2.5.4.6",
    "2.5.4.10",
    "2.5.4.11",
    "2.5.4.3",
    "0.9.2342.19200300.100.1.25",
    "0.9.2342.19200300.100.1.1",
    "1.2.840.113549.1.9.1",
)
CERN = [[(DC, "ch")], [(DC, "cern")]]

values = st.text(max_size=20).filter(
    lambda text: (
        not any(
            unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} or unicodedata.bidirectional(c) in BIDI
            for c in text
        )
    )
)
BIDI = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
tricky = st.text(alphabet="/+=\\,;\"#<> xCN.12aé'", max_size=12)
types = st.sampled_from([*NAMES, "1.2.3.4", "2.999.1"])
rdns = st.lists(st.tuples(types, values | tricky), min_size=1, max_size=3, unique_by=lambda pair: pair[0])
names = st.lists(rdns, min_size=1, max_size=5).map(Dn.of)


@given(names)
@example(Dn.of([[(CN, "a/CN=b")], [(CN, "c\\x2Fd"), (UID, "+UID=x")]]))
@example(Dn.of([[(CN, " lead and trail ")], [(CN, "#hash")], [(CN, "")], [(CN, " ")], [(O, "x/")]]))
def test_both_written_forms_read_back_as_the_same_name(dn: Dn) -> None:
    assert Dn.parse(str(dn)) == dn
    assert Dn.parse(dn.rfc4514()) == dn


@given(
    st.text(max_size=60) | st.text(alphabet='/+=\\,;"# CNx1.2', max_size=40).map(lambda text: "/CN=" + text)
)
def test_any_text_is_a_name_or_a_clear_error(text: str) -> None:
    try:
        dn = Dn.parse(text)
    except DnError:
        with pytest.raises(DnError, match=re.escape(repr(text))):
            Dn.parse(text)
    else:
        assert Dn.parse(str(dn)) == dn == Dn.parse(dn.rfc4514())


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda data: bytes([0x30, len(data)]) + data))
def test_any_bytes_are_a_name_or_a_clear_error(data: bytes) -> None:
    try:
        dn = Dn.from_der(data)
    except DnError:
        return
    assert dn == Dn() or Dn.parse(str(dn)) == dn


@given(st.lists(st.tuples(st.sampled_from([CN, O, OU, UID]), values.filter(bool)), max_size=5))
def test_der_as_cryptography_writes_it_reads_the_same(pairs: list[tuple[str, str]]) -> None:
    attributes = [x509.NameAttribute(x509.ObjectIdentifier(oid), v, _validate=False) for oid, v in pairs]
    assert Dn.from_der(x509.Name(attributes).public_bytes()) == Dn.of([[pair] for pair in pairs])


@given(values)
def test_directory_strings_read_back(text: str) -> None:
    encoded = directory_string.encode(text)
    assert encoded.endswith(text.encode())
    assert Dn.parse(f"1.2.3=#{encoded.hex()}") == Dn.of([[("1.2.3", text)]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/DC=ch/DC=cern/CN=alice", [*CERN, [(CN, "alice")]]),
        ("/dc=ch/dc=cern/cn=host/foo.cern.ch", [*CERN, [(CN, "host/foo.cern.ch")]]),
        ("/DC=ch/DC=cern/CN=http://x.org/?a=b/c", [*CERN, [(CN, "http://x.org/?a=b/c")]]),
        (
            "/C=IT/O=INFN/CN=a/Email=a@infn.it",
            [[(C, "IT")], [(O, "INFN")], [(CN, "a")], [(EMAIL, "a@infn.it")]],
        ),
        ("/CN=a/emailAddress=b", [[(CN, "a")], [(EMAIL, "b")]]),
        ("/CN=a/E=b/USERID=c/UID=d", [[(CN, "a")], [(EMAIL, "b")], [(UID, "c")], [(UID, "d")]]),
        ("/CN=Jos\\xC3\\xA9", [[(CN, "José")]]),
        ("/CN=Jose\u0301", [[(CN, "José")]]),
        ("/CN=a+UID=b", [[(CN, "a"), (UID, "b")]]),
        ("/CN=C++ Robot, Inc.", [[(CN, "C++ Robot, Inc.")]]),
        ("/CN=back\\slash", [[(CN, "back\\slash")]]),
        ("/2.5.4.3=a/OID.1.2.3=b", [[(CN, "a")], [("1.2.3", "b")]]),
        ("CN=alice,DC=cern,DC=ch", [*CERN, [(CN, "alice")]]),
        ("CN = alice , DC = cern,DC=ch", [*CERN, [(CN, "alice")]]),
        ("CN=O'Neil\\, Pat;DC=cern;DC=ch", [*CERN, [(CN, "O'Neil, Pat")]]),
        ('CN="O\'Neil, Pat" + UID=x,DC=cern,DC=ch', [*CERN, [(CN, "O'Neil, Pat"), (UID, "x")]]),
        ("UID=x+CN=a,DC=cern,DC=ch", [*CERN, [(CN, "a"), (UID, "x")]]),
        ("CN=Jos\\C3\\A9,C=FR", [[(C, "FR")], [(CN, "José")]]),
        ("CN=\\ a\\ ,C=FR", [[(C, "FR")], [(CN, " a ")]]),
        ("CN=a=b,1.2.3=#0c0161", [[("1.2.3", "a")], [(CN, "a=b")]]),
        ("CN=,C=FR", [[(C, "FR")], [(CN, "")]]),
    ],
)
def test_written_forms(text: str, expected: list[list[tuple[str, str]]]) -> None:
    assert Dn.parse(text) == Dn.of(expected)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "TYPE=value"),
        ("alice", "TYPE=value"),
        ("/", "/TYPE="),
        ("/alice", "/TYPE="),
        ("/DC=ch/foo=bar", "unknown attribute type 'foo'"),
        ("/DC=ch/foo=bar", "write \\x2Ffoo="),
        ("/CN=a\\x00b", "U+0000"),
        ("/CN=a\nb", "U+000A"),
        ("/CN=a\u202eb", "U+202E"),
        ("/CN=\\xE9", "not UTF-8"),
        ("/CN=a+CN=a", "repeats an attribute"),
        ("CN=a\\00b", "U+0000"),
        ("CN=a\\zb", "no escape"),
        ("CN=a,", "TYPE=value"),
        ("CN=a<b", "TYPE=value"),
        ("CN=#0c02", "TYPE=value|runs over|TYPE"),
        ("CN=#0c016100", "cut off"),
        ("2.5.4.03=a", "TYPE=value"),
        ("foo=a", "unknown attribute type 'foo'"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(DnError) as caught:
        Dn.parse(text)
    assert any(part in str(caught.value) for part in complaint.split("|")), caught.value


def name_der(tag: int, content: bytes) -> bytes:
    """One RDN with CN of the given string type."""
    attribute = bytes.fromhex("0603550403") + bytes([tag, len(content)]) + content
    for outer in (0x30, 0x31, 0x30):
        attribute = bytes([outer, len(attribute)]) + attribute
    return attribute


@pytest.mark.parametrize(
    ("tag", "content"),
    [
        (0x0C, "Zoë".encode()),
        (0x14, "Zoë".encode("latin-1")),
        (0x1E, "Zoë".encode("utf-16-be")),
        (0x1C, "Zoë".encode("utf-32-be")),
        (0x0C, "Zoe\u0308".encode()),
    ],
)
def test_the_string_type_makes_no_difference(tag: int, content: bytes) -> None:
    assert Dn.from_der(name_der(tag, content)) == Dn.parse("/CN=Zoë")


@pytest.mark.parametrize(
    ("tag", "content"),
    [
        (0x13, "Zoë".encode()),
        (0x0C, b"a\x00b"),
        (0x0C, b"\xff"),
        (0x1E, b"a"),
        (0x04, b"a"),
        (0x1E, b"\xd8\x00"),
    ],
)
def test_values_that_are_no_text_are_refused(tag: int, content: bytes) -> None:
    with pytest.raises(DnError):
        Dn.from_der(name_der(tag, content))


def test_der_with_bytes_left_over_is_refused() -> None:
    with pytest.raises(DnError):
        Dn.from_der(name_der(0x0C, b"a") + b"\x05\x00")


def test_comparison_is_exact_and_by_rdn() -> None:
    alice = Dn.parse("/DC=ch/CN=alice")
    assert hash(alice) == hash(Dn.parse("CN=alice,DC=ch"))
    for other in (
        "/DC=ch/CN=Alice",
        "/DC=ch/CN=alice ",
        "/CN=alice/DC=ch",
        "/DC=ch/CN=alice/CN=1",
        "/DC=ch+CN=alice",
    ):
        assert Dn.parse(other) != alice


def test_a_name_from_a_certificate_that_openssl_would_print() -> None:
    """The same bytes print differently in every tool; parsed they are one name."""
    name = x509.Name(
        [
            x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "ch")]),
            x509.RelativeDistinguishedName(
                [
                    x509.NameAttribute(NameOID.COMMON_NAME, "Müller, Jörg"),
                    x509.NameAttribute(NameOID.USER_ID, "jm/1"),
                ]
            ),
        ]
    )
    dn = Dn.from_der(name.public_bytes())
    assert dn == Dn.parse("/DC=ch/UID=jm/1+CN=Müller, Jörg") == Dn.parse(name.rfc4514_string())
    assert str(dn) == "/DC=ch/UID=jm/1+CN=Müller, Jörg"
