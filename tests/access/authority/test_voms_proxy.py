"""Real proxies, as voms-proxy-fake makes them with VOMS' own code."""

import time
from pathlib import Path

import pytest
from cryptography import x509

from rcmon.access.authority.authorities import Authorities
from rcmon.access.authority.crl import CrlMode, RevocationLists
from rcmon.access.authority.signing_policy import SigningPolicies
from rcmon.access.authority.voms import Fqan, VomsAttributes
from rcmon.access.identity import identify
from tests.access import crl_pki, pki
from tests.access.voms_fake import HOST, FakeServer, rsa_authority, rsa_entity


class Judge:
    """The fake server's site, as the service reads it."""

    def __init__(self, path: Path) -> None:
        self.fake = FakeServer(path)
        self.authorities = Authorities(self.fake.cas)
        self.lists = RevocationLists(self.authorities, CrlMode.IF_PRESENT)
        self.policies = SigningPolicies(self.authorities)
        rules = (self.lists, self.policies)
        self.voms = VomsAttributes(self.fake.vomsdir, self.authorities, rules, ["rcmon.example.org"])

    def ask(self, proxy: Path, hours: float = 0.0) -> tuple[Fqan, ...]:
        now = time.time() + hours * 3600
        self.authorities.refresh()
        self.lists.refresh(now, lambda: None)
        self.policies.refresh()
        self.voms.refresh()
        return self.voms.fqans(self.fake.chain(proxy), now)

    def verified(self, proxy: Path, hours: float = 0.0) -> list[str]:
        return [fqan.value for fqan in self.ask(proxy, hours) if fqan.verified]

    def reason(self, proxy: Path, hours: float = 0.0) -> str:
        reasons = {fqan.reason for fqan in self.ask(proxy, hours)}
        assert len(reasons) == 1
        return str(reasons.pop())


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return Judge(tmp_path)


@pytest.mark.parametrize("options", ["", "-newformat", "-limited", "-ga nick=alice", "-bits 4096"])
def test_a_real_proxy_is_verified(judge: Judge, options: str) -> None:
    proxy = judge.fake.proxy(*options.split())
    assert judge.verified(proxy) == ["/cms/Role=production", "/cms"]
    assert abs(judge.ask(proxy)[0].not_after - time.time() - 36000) < 400
    identity = identify([link.der for link in judge.fake.chain(proxy)])
    assert str(identity.subject) == "/DC=ch/DC=cern/OU=Users/CN=alice"


def test_a_proxy_of_a_real_proxy_keeps_its_attributes(judge: Judge) -> None:
    certificate, user = x509.load_pem_x509_certificates(judge.fake.proxy().read_bytes())
    above = pki.Credential(certificate, judge.fake.alice.key, (user,))
    path = judge.fake.path / "second"
    above = pki.proxy(above)
    path.write_bytes(above.pem)
    assert judge.verified(path) == ["/cms/Role=production", "/cms"]


def test_a_real_proxy_expires(judge: Judge) -> None:
    assert judge.reason(judge.fake.proxy(), hours=10.1) == (
        "the attribute certificate is expired or not yet valid"
    )
    assert "expired" in judge.reason(judge.fake.proxy("-pastac", "11:00"))
    short = judge.fake.proxy("-vomslife", "1")
    assert judge.verified(short, hours=0.9)
    assert "expired" in judge.reason(short, hours=1.1)


def test_attributes_from_another_server_are_not_verified(judge: Judge) -> None:
    mallory = rsa_entity(pki.name("DC=ch", "DC=cern", "OU=Users", "CN=mallory"), judge.fake.ca)
    assert "are not those that" in judge.reason(judge.fake.proxy(server=mallory))
    evil = rsa_authority(pki.name("DC=ch", "DC=cern", "CN=CA"))
    forged = rsa_entity(judge.fake.server.certificate.subject, evil)
    assert "its signature is not valid" in judge.reason(judge.fake.proxy(server=forged))
    assert "is not trusted for this VO" in judge.reason(judge.fake.proxy(uri="other.example.org:15002"))
    assert "is not trusted for this VO" in judge.reason(judge.fake.proxy(vo="atlas", fqans=["/atlas"]))


def test_attributes_of_another_vo_than_the_servers_are_not_read(judge: Judge) -> None:
    assert "is not of the VO cms" in judge.reason(judge.fake.proxy(fqans=["/cms", "/atlas/Role=admin"]))


def test_attributes_that_were_made_for_another_certificate_are_not_verified(judge: Judge) -> None:
    stolen = judge.fake.chain(judge.fake.proxy())[0].fields.extensions["1.3.6.1.4.1.8005.100.100.5"].value
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.8005.100.100.5"), stolen)
    bob = pki.entity(pki.name("DC=ch", "DC=cern", "OU=Users", "CN=bob"), judge.fake.ca)
    path = pki.proxy(bob, more=[(extension, False)]).write(judge.fake.path / "bob")
    assert "it was made for another certificate" in judge.reason(path)


def test_a_revoked_server_vouches_for_nobody(judge: Judge) -> None:
    proxy = judge.fake.proxy()
    (ca_file,) = judge.fake.cas.glob("*.0")
    lists = ca_file.with_suffix(".r0")
    crl_pki.replace(lists, crl_pki.pem(crl_pki.crl(judge.fake.ca)))
    assert judge.verified(proxy)
    crl_pki.replace(lists, crl_pki.pem(crl_pki.crl(judge.fake.ca, [judge.fake.server])))
    assert "is revoked by /DC=ch/DC=cern/CN=CA" in judge.reason(proxy)


def test_a_server_outside_its_cas_namespace_vouches_for_nobody(judge: Judge) -> None:
    (ca_file,) = judge.fake.cas.glob("*.0")
    policy = (
        "access_id_CA X509 '/DC=ch/DC=cern/CN=CA' pos_rights globus CA:sign cond_subjects globus '\"{}/*\"'"
    )
    ca_file.with_suffix(".signing_policy").write_text(policy.format("/DC=ch/DC=cern"))
    assert judge.verified(judge.fake.proxy())
    crl_pki.replace(ca_file.with_suffix(".signing_policy"), policy.format("/DC=ch/DC=cern/OU=Users").encode())
    assert "does not allow /DC=ch/DC=cern/OU=computers" in judge.reason(judge.fake.proxy())


def test_sha1_proves_nothing(judge: Judge) -> None:
    """A VOMS server signs with it whose RSA key has a certificate that was not signed with RSA."""
    ca = pki.authority(pki.name("DC=ch", "CN=EC"), judge.fake.ca)
    judge.fake.trust(ca)
    server = rsa_entity(pki.name("DC=ch", "DC=cern", f"CN={HOST}"), ca)
    judge.fake.describe(server.certificate)
    assert "algorithm 1.2.840.113549.1.1.5 does not fit" in judge.reason(judge.fake.proxy(server=server))


def test_a_server_whose_chain_comes_along(judge: Judge) -> None:
    middle = rsa_authority(pki.name("DC=ch", "CN=Middle"), judge.fake.ca)
    server = rsa_entity(pki.name("DC=ch", "DC=cern", f"CN={HOST}"), middle)
    judge.fake.describe(server.certificate)
    proxy = judge.fake.proxy(server=server)
    assert "none of the trusted CAs" in judge.reason(proxy)
    judge.fake.trust(middle)
    assert judge.verified(proxy) == ["/cms/Role=production", "/cms"]
