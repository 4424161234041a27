"""A directory with all the files a service needs, and two CAs with a user each."""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

from rcmon.access.trust import Trust, TrustFiles
from tests.access import pki
from tests.access.crl_pki import crl, pem

ROOT = pki.authority(pki.name("DC=ch", "CN=CA"))
OTHER = pki.authority(pki.name("DC=org", "CN=Other CA"))
ALICE = pki.entity(pki.name("DC=ch", "CN=alice"), ROOT)
BOB = pki.entity(pki.name("DC=org", "CN=bob"), OTHER)


EXPIRED = pki.entity(pki.name("CN=localhost"), ROOT, eku=None, lasts=dt.timedelta(minutes=30))


def use(files: TrustFiles, credential: pki.Credential) -> None:
    files.certificate.write_bytes(credential.certificate_pem)
    files.key.write_bytes(credential.key_pem)
    files.key.chmod(0o600)


class Place:
    """A directory with all the files a service needs."""

    def __init__(self, directory: Path) -> None:
        self.cas = directory / "cas"
        self.ca_file = pki.add_to_directory(self.cas, ROOT)
        self.files = TrustFiles(
            certificate=directory / "host.crt",
            key=directory / "host.key",
            authorities=self.cas,
            roles=directory / "roles.toml",
        )
        self.use(pki.host(ROOT))
        self.grant("dn:/DC=ch/CN=alice")

    def use(self, credential: pki.Credential) -> None:
        use(self.files, credential)

    def grant(self, *entries: str) -> None:
        listed = ", ".join(f'"{entry}"' for entry in entries)
        self.files.roles.write_text(f"[roles]\nreader = [{listed}]\n")

    def revoke(self, *credentials: pki.Credential) -> None:
        self.ca_file.with_suffix(".r0").write_bytes(pem(crl(ROOT, credentials)))

    def trust(self, clock: Callable[[], float] = time.time) -> Trust:
        """Start as the service does."""
        return Trust(self.files, clock=clock)
