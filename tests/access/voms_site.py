"""A site that trusts one VOMS server, its users, and what the server says of them."""

import time
from pathlib import Path

from rcmon.access.authority.authorities import Authorities
from rcmon.access.authority.refusal import ChainRule
from rcmon.access.authority.voms import Fqan, VomsAttributes
from tests.access import crl_pki, pki
from tests.access.pki import Credential
from tests.access.voms_der import attribute_certificate, parts, proxy_with, voms_extension

CA = pki.authority(pki.name("DC=ch", "CN=CA"))
MIDDLE = pki.authority(pki.name("DC=ch", "CN=Middle"), CA)
OTHER = pki.authority(pki.name("DC=org", "CN=Other"))
ALICE = pki.entity(pki.name("DC=ch", "OU=Users", "CN=alice"), CA)
BOB = pki.entity(pki.name("DC=ch", "OU=Users", "CN=bob"), CA)
SERVER_NAME = pki.name("DC=ch", "OU=computers", "CN=voms.example.org")
SERVER_DN = "/DC=ch/OU=computers/CN=voms.example.org"
ALICE_DN = "/DC=ch/OU=Users/CN=alice"
SERVER = pki.entity(SERVER_NAME, CA)
LSC = f"{SERVER_DN}\n/DC=ch/CN=CA\n"
PRODUCTION = "/cms/Role=production"


class Site:
    """Trusted CAs and a vomsdir."""

    def __init__(self, path: Path, lsc: str = LSC, rules: tuple[ChainRule, ...] = ()) -> None:
        self.vomsdir = path / "vomsdir"
        self.lsc = self.vomsdir / "cms" / "voms.example.org.lsc"
        self.lsc.parent.mkdir(parents=True)
        self.lsc.write_text(lsc)
        (path / "ca.pem").write_bytes(CA.certificate_pem)
        self.authorities = Authorities(path / "ca.pem")
        self.voms = VomsAttributes(self.vomsdir, self.authorities, rules, ["Rcmon.example.org"])
        self.refresh()

    def refresh(self) -> None:
        self.authorities.refresh()
        self.voms.refresh()

    def ask(self, credential: Credential, hours: float = 0.0) -> tuple[Fqan, ...]:
        return self.voms.fqans(crl_pki.chain(credential, CA), time.time() + hours * 3600)

    def reason(self, value: bytes, user: Credential = ALICE, hours: float = 0.0) -> str | None:
        """Say why no attribute of an extension is verified; None: all are."""
        found = self.ask(proxy_with(user, value), hours)
        assert found
        assert len({fqan.reason for fqan in found}) == 1
        assert all(fqan.verified == (fqan.reason is None) for fqan in found)
        return found[0].reason


def signed(server: Credential = SERVER, user: Credential = ALICE, **changes: object) -> bytes:
    return voms_extension(attribute_certificate(server, parts(user, server, **changes)))
