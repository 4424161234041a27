"""A hashed CA directory with revocation lists, and what reads it."""

import time
from pathlib import Path

from rcmon.access.authority.authorities import Authorities
from rcmon.access.authority.crl import CrlMode, RevocationLists
from tests.access import pki
from tests.access.crl_pki import chain, crl, pem, replace

ROOT = pki.authority(pki.name("DC=ch", "CN=Root"))
ISSUING = pki.authority(pki.name("DC=ch", "CN=Issuing"), ROOT)
ALICE = pki.entity(pki.name("DC=ch", "CN=alice"), ISSUING)
BOB = pki.entity(pki.name("DC=ch", "CN=bob"), ISSUING)
HOUR = 3600.0


class Grid:
    """A hashed CA directory with revocation lists, and what reads it."""

    def __init__(self, path: Path, mode: CrlMode = CrlMode.IF_PRESENT, files: tuple[Path, ...] = ()) -> None:
        self.path = path
        (path / "00000001.0").write_bytes(ROOT.certificate_pem)
        (path / "00000002.0").write_bytes(ISSUING.certificate_pem)
        self.authorities = Authorities(path)
        self.lists = RevocationLists(self.authorities, mode, files)
        self.now = time.time()

    def put(self, name: str, der: bytes) -> None:
        replace(self.path / name, pem(der))

    def refresh(self) -> None:
        self.authorities.refresh()
        self.lists.refresh(self.now, lambda: None)

    def reason(self, credential: pki.Credential) -> str | None:
        found = self.lists.refusal(chain(credential, ROOT), self.now)
        return found.reason if found else None


def two_lists(path: Path) -> Grid:
    """Publish a list of each CA; bob is on one."""
    grid = Grid(path)
    grid.put("00000001.r0", crl(ROOT))
    grid.put("00000002.r0", crl(ISSUING, [BOB]))
    grid.refresh()
    return grid
