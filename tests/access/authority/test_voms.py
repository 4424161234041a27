"""VOMS attributes are verified when a trusted server says so of this user, now - and only then."""

import datetime as dt
import time
from pathlib import Path

import pytest
from cryptography import x509

from rcmon.access.authority.voms import VomsAttributes
from tests.access import crl_pki, pki
from tests.access.voms_der import (
    NO_REVOCATION,
    attribute_certificate,
    der,
    extension,
    general_name,
    integer,
    moment,
    parts,
    proxy_with,
    voms_extension,
)
from tests.access.voms_site import (
    ALICE,
    BOB,
    CA,
    OTHER,
    PRODUCTION,
    SERVER,
    SERVER_NAME,
    Site,
    signed,
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_attributes_are_verified(site: Site) -> None:
    found = site.ask(proxy_with(ALICE, signed()))
    assert [fqan.value for fqan in found] == [PRODUCTION, "/cms"]
    assert all(fqan.verified and fqan.reason is None for fqan in found)
    assert all(abs(fqan.not_after - time.time() - 36000) < 60 for fqan in found)


def test_no_proxy_and_no_extension_mean_no_attributes(site: Site) -> None:
    assert site.ask(ALICE) == ()
    assert site.ask(pki.proxy(ALICE)) == ()
    holder = pki.entity(pki.name("CN=x"), CA, more=[(_extension(signed()), False)])
    assert site.ask(holder) == ()


def _extension(value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.8005.100.100.5"), value)


def test_the_proxy_nearest_the_client_speaks(site: Site) -> None:
    full = proxy_with(ALICE, signed())
    assert [fqan.value for fqan in site.ask(pki.proxy(full))] == [PRODUCTION, "/cms"]
    narrowed = proxy_with(full, signed(fqans=(b"/cms",)))
    assert [fqan.value for fqan in site.ask(narrowed)] == ["/cms"]
    assert [fqan.value for fqan in site.ask(pki.proxy(narrowed))] == ["/cms"]


def test_each_attribute_certificate_is_judged_for_itself(site: Site) -> None:
    good = attribute_certificate(SERVER, parts(ALICE, SERVER))
    bad = attribute_certificate(SERVER, parts(ALICE, SERVER, not_after=moment(-0.5), fqans=(b"/cms/x",)))
    found = site.ask(proxy_with(ALICE, voms_extension(bad, good)))
    assert [(fqan.value, fqan.verified) for fqan in found] == [
        ("/cms/x", False),
        (PRODUCTION, True),
        ("/cms", True),
    ]


def test_attributes_of_somebody_else_are_not_verified(site: Site) -> None:
    reason = "it was made for another certificate than that of /DC=ch/OU=Users/CN=bob"
    assert site.reason(signed(), BOB) == reason
    name = general_name(ALICE.certificate.issuer)
    other = der(0x30, der(0xA0, name, integer(ALICE.certificate.serial_number + 1)))
    assert str(site.reason(signed(holder=other))).startswith("it was made for another")
    name = general_name(OTHER.certificate.subject)
    other = der(0x30, der(0xA0, name, integer(ALICE.certificate.serial_number)))
    assert str(site.reason(signed(holder=other))).startswith("it was made for another")


def test_the_holder_may_be_named_by_subject_and_serial(site: Site) -> None:
    """As VOMS servers write it unless told otherwise (-newformat)."""
    name = general_name(ALICE.certificate.subject)
    holder = der(0x30, der(0xA0, name, integer(ALICE.certificate.serial_number)))
    assert site.reason(signed(holder=holder)) is None


@pytest.mark.parametrize(
    ("not_before", "not_after", "verified"),
    [(-1, 1, True), (-2, -0.01, False), (0.05, 1, True), (0.2, 1, False)],
    ids=["now", "expired", "clocks differ", "not yet"],
)
def test_attributes_are_verified_while_they_are_valid(
    site: Site, not_before: float, not_after: float, verified: bool
) -> None:
    reason = site.reason(signed(not_before=moment(not_before), not_after=moment(not_after)))
    assert reason == (None if verified else "the attribute certificate is expired or not yet valid")


def test_attributes_end_with_the_servers_certificate(site: Site) -> None:
    short = pki.entity(SERVER_NAME, CA, begins=dt.timedelta(hours=-1), lasts=dt.timedelta(hours=2))
    found = site.ask(proxy_with(ALICE, signed(short)))
    assert abs(found[0].not_after - time.time() - 3600) < 60
    assert "expired" in str(site.reason(signed(short), hours=1.1))


def test_extensions_of_the_attribute_certificate(site: Site) -> None:
    assert "lacks the extension noRevAvail" in str(site.reason(signed(extensions=())))
    unknown = extension("1.2.3.4", b"\x05\x00")
    assert site.reason(signed(extensions=(NO_REVOCATION, unknown))) is None
    unknown = extension("1.2.3.4", b"\x05\x00", critical=True)
    assert "1.2.3.4 is not understood" in str(site.reason(signed(extensions=(NO_REVOCATION, unknown))))


def test_attributes_for_certain_hosts_count_only_there(site: Site) -> None:
    def target(*hosts: bytes) -> tuple[bytes, ...]:
        names = [der(0x30, der(0xA0, der(0x86, host))) for host in hosts]
        return NO_REVOCATION, extension("2.5.29.55", der(0x30, der(0x30, *names)), critical=True)

    assert site.reason(signed(extensions=target(b"a.example.org", b"rcmon.example.org"))) is None
    assert site.reason(signed(extensions=target(b"a.example.org"))) == (
        "it is meant for other hosts: ['a.example.org']"
    )
    assert "other hosts" in str(site.reason(signed(extensions=target())))


def test_without_a_vomsdir_attributes_are_shown_unverified(site: Site) -> None:
    voms = VomsAttributes(None, site.authorities)
    voms.refresh()
    found = voms.fqans(crl_pki.chain(proxy_with(ALICE, signed()), CA), time.time())
    assert [(fqan.value, fqan.verified) for fqan in found] == [(PRODUCTION, False), ("/cms", False)]
    assert {fqan.reason for fqan in found} == {"no vomsdir is configured (--vomsdir)"}


def test_a_change_of_vomsdir_counts_from_the_next_refresh(site: Site) -> None:
    generation = site.voms.generation
    site.refresh()
    assert site.voms.generation == generation
    crl_pki.replace(site.lsc, b"/CN=somebody\n/CN=else\n")
    site.refresh()
    assert site.voms.generation == generation + 1
    assert "are not those that" in str(site.reason(signed()))
    site.lsc.unlink()
    site.refresh()
    assert "is not trusted for this VO" in str(site.reason(signed()))


def test_a_removed_ca_counts_too(site: Site, tmp_path: Path) -> None:
    generation = site.voms.generation
    crl_pki.replace(tmp_path / "ca.pem", OTHER.certificate_pem)
    site.refresh()
    assert site.voms.generation == generation + 1
    assert "is none of the trusted CAs" in str(site.reason(signed()))


def test_a_bad_new_lsc_file_is_refused_and_the_old_one_stays(site: Site) -> None:
    crl_pki.replace(site.lsc, b"/CN=half a pair\n")
    site.refresh()
    assert site.reason(signed()) is None
    assert site.voms.reloads.errors == (
        f"{site.lsc}: a chain is one or more pairs of lines, a subject and its issuer",
    )
    site.vomsdir.rename(site.vomsdir.with_name("away"))
    site.refresh()
    assert site.reason(signed()) is None
    assert site.voms.reloads.errors[0] == f"{site.vomsdir}: No such file or directory"
