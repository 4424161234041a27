"""The grid as the matrix of client certificates meets it: CAs of every kind, their files, users, roles."""

import datetime as dt
from pathlib import Path

from cryptography import x509

from rcmon.access.trust import Trust, TrustFiles
from tests.access import pki
from tests.access.crl_pki import crl, pem
from tests.access.pki import Credential
from tests.access.voms_fake import FakeServer, rsa_entity

DAY = dt.timedelta(days=1)
CERN = ("DC=ch", "DC=cern")
USERS = (*CERN, "OU=Organic Units", "OU=Users")

ROOT = pki.authority(pki.name(*CERN, "CN=CERN Root CA"))
CA = pki.authority(pki.name(*CERN, "CN=CERN Grid CA"), ROOT)
"""Where nearly everybody's certificate is from."""
UNLISTED_CA = pki.authority(pki.name(*CERN, "CN=CERN New CA"), ROOT)
"""Below the root, but not in the directory, and so without a signing policy: clients send it."""
REVOKED_CA = pki.authority(pki.name(*CERN, "CN=CERN Lost CA"), ROOT)
OTHER = pki.authority(pki.name("DC=org", "CN=Other Grid CA"))
"""Trusted for names under /DC=org."""
LAX = pki.authority(pki.name("C=XX", "CN=Lax CA"))
"""Trusted for any name, without a revocation list."""
STALE = pki.authority(pki.name("C=XX", "CN=Stale CA"))
"""Its revocation list has expired."""
SILENT = pki.authority(pki.name("C=XX", "CN=Silent CA"))
"""Without a signing policy in a directory where others have one."""
UNKNOWN = pki.authority(pki.name(*CERN, "CN=CERN Grid CA"))
"""Calls itself as the true one, and is not."""
CONSTRAINED = pki.issue(
    pki.name("C=XX", "CN=Constrained CA"),
    None,
    extensions=[
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (pki.SIGN_USE, True),
        (x509.NameConstraints([x509.DirectoryName(pki.name("C=XX"))], None), True),
    ],
)
EXPIRED_CA = pki.issue(
    pki.name("C=XX", "CN=Expired CA"),
    None,
    extensions=[(x509.BasicConstraints(ca=True, path_length=None), True), (pki.SIGN_USE, True)],
    begins=-10 * DAY,
    lasts=DAY,
)

ALICE = pki.entity(pki.name(*USERS, "CN=alice", "CN=654321", "CN=Alice Example"), CA)
REVOKED = pki.entity(pki.name(*USERS, "CN=alice", "CN=654321", "CN=Alice Example"), CA)
EXPIRED = pki.entity(
    pki.name(*USERS, "CN=alice", "CN=654321", "CN=Alice Example"), CA, begins=-2 * DAY, lasts=DAY
)

ALICE_DN = "/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=alice/CN=654321/CN=Alice Example"
ROLES = r"""
[roles]
reader = [
    "dn-under:/DC=ch/DC=cern/OU=computers",
    "dns:scraper.cern.ch",
    "uri:spiffe://cern.ch/scraper",
    "dn:/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=Zoë Müller",
    "dn:/DC=ch/DC=cern/O=CERN/IT/CN=Robot: a/b, c + d",
    "dn:CN=O'Brien\\, Pat,OU=Users,OU=Organic Units,DC=cern,DC=ch",
    "dn:/DC=ch/DC=cern/CN=multi+UID=m1",
    "dn:/DC=ch/DC=cern/CN=mail/emailAddress=mail@cern.ch",
    "dn:/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=grid",
    "fqan:/cms/Role=NULL/Capability=NULL",
]
agent = ["dn:CN=agent,OU=Users,OU=Organic Units,DC=cern,DC=ch"]
operator = [
    {subject = "dn:ALICE", issuer = "dn:/DC=ch/DC=cern/CN=CERN Grid CA"},
    "fqan:/cms/Role=production",
]
admin = ["dn:/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=root"]
""".replace("ALICE", ALICE_DN)


class World:
    """A service's files on disk."""

    def __init__(self, directory: Path) -> None:
        (directory / "voms").mkdir()
        self.voms = FakeServer(directory / "voms")
        """The VOMS server with its users, whose keys are RSA as the grid's tools want it."""
        self.grid_user = rsa_entity(pki.name(*USERS, "CN=grid"), self.voms.ca)
        self.stranger = rsa_entity(pki.name(*USERS, "CN=nobody"), self.voms.ca)
        self.policy = directory / "policy"
        self.policy.write_text("read only")
        self.cas = directory / "certificates"
        for authority, allowed in [
            (ROOT, "/DC=ch/*"), (CA, "/DC=ch/DC=cern/*"), (REVOKED_CA, "/DC=ch/*"), (OTHER, "/DC=org/*"),
            (LAX, "/*"), (STALE, "/*"), (SILENT, None), (CONSTRAINED, "/*"), (EXPIRED_CA, "/*"),
            (self.voms.ca, "/DC=ch/DC=cern/*"),
        ]:  # fmt: skip
            self.add(authority, allowed)
        self.revoke(ROOT, REVOKED_CA)
        self.revoke(CA, REVOKED)
        self.revoke(OTHER)
        self.path(STALE).with_suffix(".r0").write_bytes(pem(crl(STALE, begins=-3 * DAY, lasts=DAY)))
        self.files = TrustFiles(
            certificate=directory / "host.crt",
            key=directory / "host.key",
            authorities=self.cas,
            roles=directory / "roles.toml",
            vomsdir=self.voms.vomsdir,
        )
        self.files.roles.write_text(ROLES)
        self.use(pki.host(ROOT))

    def path(self, authority: Credential) -> Path:
        return self.cas / f"{pki.subject_hash(authority.certificate)}.0"

    def add(self, authority: Credential, allowed: str | None) -> None:
        """Put a CA into the directory, with a signing policy for the subjects it may issue, if any."""
        pki.add_to_directory(self.cas, authority, allowed=allowed)

    def revoke(self, authority: Credential, *revoked: Credential) -> None:
        """Publish a CA's revocation list."""
        self.path(authority).with_suffix(".r0").write_bytes(pem(crl(authority, revoked)))

    def use(self, credential: Credential) -> None:
        """Give the server another certificate."""
        self.files.certificate.write_bytes(credential.certificate_pem)
        self.files.key.write_bytes(credential.key_pem)
        self.files.key.chmod(0o600)

    def trust(self) -> Trust:
        """Start as the service does."""
        return Trust(self.files)
