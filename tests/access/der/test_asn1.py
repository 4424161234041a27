"""The DER reader: DER is read, and whatever is not is a DerError."""

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcmon.access.der import asn1
from rcmon.access.der.asn1 import DerError, DerReader
from tests.access import pki


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cut off at byte 0"),
        (b"\x30", "cut off at byte 0"),
        (b"\x30\x02\x05", "runs over the end"),
        (b"\x30\x80\x00\x00", "length of 0 octets"),
        (b"\x30\x85\x01\x00\x00\x00\x00", "length of 5 octets"),
        (b"\x30\x81\x01\x05", "not in its shortest form"),
        (b"\x30\x82\x00\x81" + b"\x05" * 0x81, "not in its shortest form"),
        (b"\x30\x82\x01", "length of 2 octets"),
        (b"\x3f\x01\x00", "high tag numbers"),
        (b"\x31\x00", "expected 0x30"),
    ],
)
def test_what_is_not_der_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(DerError, match=reason):
        DerReader(data).enter(asn1.SEQUENCE)


def test_nesting_is_bounded() -> None:
    data = b""
    for _ in range(asn1.MAX_DEPTH + 1):
        data = pki.tlv(asn1.SEQUENCE, data)
    reader = DerReader(data)
    for _ in range(asn1.MAX_DEPTH):
        reader = reader.enter(asn1.SEQUENCE)
    with pytest.raises(DerError, match="nested deeper"):
        reader.enter(asn1.SEQUENCE)


def test_bits_come_in_whole_octets() -> None:
    assert DerReader(b"\x03\x02\x00\xff").bits() == b"\xff"
    for data in (b"\x03\x02\x01\xfe", b"\x03\x00"):
        with pytest.raises(DerError, match="not of whole octets"):
            DerReader(data).bits()


def test_what_is_left_over_is_an_error() -> None:
    reader = DerReader(b"\x02\x01\x05\x02\x01\x06")
    assert reader.integer() == 5
    with pytest.raises(DerError, match="3 bytes too many at byte 3"):
        reader.finish()


@given(st.integers(-(2**200), 2**200))
def test_integers_are_read_as_they_were_written(value: int) -> None:
    octets = (value if value >= 0 else ~value).bit_length() // 8 + 1
    data = pki.tlv(asn1.INTEGER, value.to_bytes(octets, signed=True))
    assert DerReader(data).integer() == value


@given(st.tuples(st.integers(0, 2), st.integers(0, 39)), st.lists(st.integers(0, 2**70), max_size=8))
def test_object_identifiers_are_read_as_they_were_written(first: tuple[int, int], rest: list[int]) -> None:
    dotted = ".".join(map(str, (*first, *rest)))
    assert DerReader(pki.oid_der(dotted)).oid() == dotted


@given(st.integers(-631152000, 2524607999))
def test_both_forms_of_time_are_read(expected: int) -> None:
    """From 1950 to 2049, which is what two digits of a year can say."""
    moment = dt.datetime.fromtimestamp(expected, dt.UTC)
    short = pki.tlv(asn1.UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    long = pki.tlv(asn1.GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())
    assert DerReader(short).time() == DerReader(long).time() == expected


@pytest.mark.parametrize(
    "content",
    [b"20260230000000Z", b"20261123035306", b"20261123035306.5Z", b"2026112303530 Z", b"20261123035306+0100"],
)
def test_other_times_are_refused(content: bytes) -> None:
    with pytest.raises(DerError, match="time"):
        DerReader(pki.tlv(asn1.GENERALIZED_TIME, content)).time()


def test_an_extension_may_not_occur_twice() -> None:
    one = pki.tlv(0x30, pki.oid_der("2.5.29.15") + pki.tlv(0x04, b"\x05\x00"))
    assert asn1.extensions(DerReader(one)) == {"2.5.29.15": asn1.Extension(critical=False, value=b"\x05\x00")}
    with pytest.raises(DerError, match="twice"):
        asn1.extensions(DerReader(one + one))


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_der_error(data: bytes) -> None:
    for read in (DerReader.integer, DerReader.oid, DerReader.bits, DerReader.time, asn1.extensions):
        with contextlib.suppress(DerError):
            read(DerReader(data))
    with contextlib.suppress(DerError):
        list(DerReader(data).enter(asn1.SEQUENCE).elements())
