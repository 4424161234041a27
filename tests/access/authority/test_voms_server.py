"""Which VOMS servers are believed: those that vomsdir names, with a certificate of a trusted CA."""

from pathlib import Path

import pytest
from cryptography import x509

from rcmon.access.authority.refusal import Refusal
from rcmon.access.chain import Chain
from tests.access import pki
from tests.access.voms_der import (
    attribute_certificate,
    general_name,
    parts,
    voms_extension,
)
from tests.access.voms_site import (
    ALICE,
    ALICE_DN,
    CA,
    MIDDLE,
    OTHER,
    SERVER,
    SERVER_DN,
    SERVER_NAME,
    Site,
    signed,
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_server_that_the_site_does_not_name_is_not_trusted(site: Site) -> None:
    for policy in (b"cms://evil.example.org:1", b"atlas://voms.example.org:1"):
        fqans = (b"/" + policy.split(b":")[0],)
        assert "is not trusted for this VO" in str(site.reason(signed(policy=policy, fqans=fqans)))


def test_the_servers_certificate_must_be_the_one_that_the_site_names(site: Site) -> None:
    impostor = pki.entity(pki.name("DC=ch", "OU=Users", "CN=mallory"), CA)
    assert "are not those that" in str(site.reason(signed(impostor)))
    same_name = pki.entity(SERVER_NAME, OTHER)
    assert "are not those that" in str(site.reason(signed(same_name)))


def test_a_certificate_that_only_claims_to_be_the_servers_proves_nothing(site: Site) -> None:
    fake_ca = pki.authority(CA.certificate.subject)
    reason = site.reason(signed(pki.entity(SERVER_NAME, fake_ca)))
    assert reason == f"the certificate of {SERVER_DN} proves nothing: its signature is not valid"


def test_the_attribute_certificate_must_be_signed_with_the_servers_key(site: Site) -> None:
    thief = pki.entity(SERVER_NAME, CA)
    value = voms_extension(attribute_certificate(thief, parts(ALICE, SERVER)))
    assert site.reason(value) == "the attribute certificate proves nothing: its signature is not valid"


def test_the_issuer_must_be_the_server(site: Site) -> None:
    issuer = general_name(CA.certificate.subject)
    assert "it names /DC=ch/CN=CA as its issuer" in str(site.reason(signed(issuer=issuer)))


def test_a_server_below_an_intermediate_ca(tmp_path: Path) -> None:
    server = pki.entity(SERVER_NAME, MIDDLE)
    pairs = f"{SERVER_DN}\n/DC=ch/CN=Middle\n/DC=ch/CN=Middle\n/DC=ch/CN=CA\n"
    site = Site(tmp_path, "/C=x/CN=old\n/C=x/CN=ca\n------ NEXT CHAIN ------\n" + pairs)
    assert site.reason(signed(server, certificates=(server.der, MIDDLE.der))) is None
    assert "are not those that" in str(site.reason(signed(server)))
    assert "are not those" in str(site.reason(signed(server, certificates=(MIDDLE.der, server.der))))
    site.lsc.write_text(f"{SERVER_DN}\n/DC=ch/CN=Middle\n")
    site.refresh()
    assert "its issuer /DC=ch/CN=Middle is none of the trusted CAs" in str(site.reason(signed(server)))
    with (tmp_path / "ca.pem").open("ab") as file:
        file.write(MIDDLE.certificate_pem)
    site.refresh()
    assert site.reason(signed(server)) is None


def test_a_root_that_comes_along_is_trusted_only_if_it_is_known(tmp_path: Path) -> None:
    """The .lsc file names it, and anybody can make one of that name."""
    site = Site(tmp_path, f"{SERVER_DN}\n/DC=ch/CN=CA\n/DC=ch/CN=CA\n/DC=ch/CN=CA\n")
    assert site.reason(signed(certificates=(SERVER.der, CA.der))) is None
    fake_ca = pki.authority(CA.certificate.subject)
    fake = pki.entity(SERVER_NAME, fake_ca)
    reason = site.reason(signed(fake, certificates=(fake.der, fake_ca.der)))
    assert reason == "the root /DC=ch/CN=CA is none of the trusted CAs"


def test_the_right_key_under_another_name_is_not_the_issuer(tmp_path: Path) -> None:
    extensions = [(x509.BasicConstraints(ca=True, path_length=None), True), (pki.SIGN_USE, True)]
    renamed = pki.issue(pki.name("CN=Renamed"), CA, extensions=extensions, key=MIDDLE.key)
    server = pki.entity(SERVER_NAME, MIDDLE)
    site = Site(tmp_path, f"{SERVER_DN}\n/DC=ch/CN=Middle\n/CN=Renamed\n/DC=ch/CN=CA\n")
    reason = site.reason(signed(server, certificates=(server.der, renamed.der)))
    assert "its issuer /DC=ch/CN=Middle is none of the trusted CAs" in str(reason)


def test_an_end_entity_is_no_ca(tmp_path: Path) -> None:
    server = pki.entity(SERVER_NAME, ALICE)
    lsc = f"{SERVER_DN}\n{ALICE_DN}\n{ALICE_DN}\n/DC=ch/CN=CA\n"
    reason = Site(tmp_path, lsc).reason(signed(server, certificates=(server.der, ALICE.der)))
    assert reason == f"{ALICE_DN} is no CA (basicConstraints, keyUsage)"


def test_path_lengths_hold(tmp_path: Path) -> None:
    extensions = [(x509.BasicConstraints(ca=True, path_length=0), True), (pki.SIGN_USE, True)]
    outer = pki.issue(pki.name("CN=Outer"), CA, extensions=extensions)
    inner = pki.authority(pki.name("CN=Inner"), outer)
    server = pki.entity(SERVER_NAME, inner)
    lsc = f"{SERVER_DN}\n/CN=Inner\n/CN=Inner\n/CN=Outer\n/CN=Outer\n/DC=ch/CN=CA\n"
    reason = Site(tmp_path, lsc).reason(signed(server, certificates=(server.der, inner.der, outer.der)))
    assert reason == "/CN=Outer allows 0 CAs below it, there are 1"


def test_what_is_not_understood_in_the_servers_certificate_is_refused(site: Site) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    server = pki.entity(SERVER_NAME, CA, more=[(unknown, True)])
    assert "critical extension 1.2.3.4 of" in str(site.reason(signed(server)))
    server = pki.issue(SERVER_NAME, CA, extensions=[(pki.SIGN_USE, True)])
    assert "may not sign (keyUsage)" in str(site.reason(signed(server)))


class Refusing:
    """A rule that refuses what it is told to."""

    def __init__(self, subject: str) -> None:
        self.subject = subject

    def refusal(self, chain: Chain, now: float) -> Refusal | None:
        found = any(str(link.subject) == self.subject for link in chain)
        return Refusal("revoked", f"{self.subject} is revoked") if found else None


@pytest.mark.parametrize("subject", [SERVER_DN, "/DC=ch/CN=CA"])
def test_the_rules_are_asked_about_the_servers_chain(tmp_path: Path, subject: str) -> None:
    site = Site(tmp_path, rules=(Refusing(subject),))
    assert site.reason(signed()) == f"the server's certificate is refused: {subject} is revoked"
