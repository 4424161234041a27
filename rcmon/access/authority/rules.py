"""The trusted CAs with their own rules - signing policies, revocation lists - and the VOMS servers."""

from collections.abc import Callable, Collection
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from rcmon.access.authority.authorities import Authorities
from rcmon.access.authority.crl import CrlMode, RevocationLists
from rcmon.access.authority.signing_policy import SigningPolicies
from rcmon.access.authority.voms import VomsAttributes
from rcmon.access.gate import Gate
from rcmon.access.roles import RoleTable
from rcmon.errors import ConfigError


class RuleFiles(Struct, frozen=True, kw_only=True):
    """The files that decide which certificates are good, and how they are taken."""

    authorities: Path
    """PEM file or hashed directory of the CAs that clients' certificates come from."""
    crl: CrlMode = CrlMode.IF_PRESENT
    crl_file: Path | None = None
    """Revocation lists beside those in the hashed directory."""
    vomsdir: Path | None = None
    """Directory of the VOMS servers that are trusted; None: no VOMS attribute is verified."""
    proxies: bool = True
    """Whether RFC 3820 proxies are accepted."""


class Rules:
    """All of them, read together so that they agree. `refresh` belongs to one thread at a time."""

    def __init__(self, files: RuleFiles, hosts: Collection[str] = ()) -> None:
        self._files = files
        self._authorities = Authorities(files.authorities)
        self._policies = SigningPolicies(self._authorities)
        self.lists = RevocationLists(self._authorities, files.crl, [files.crl_file] if files.crl_file else [])
        self._voms = VomsAttributes(files.vomsdir, self._authorities, [self._policies, self.lists], hosts)
        self._errors: frozenset[str] = frozenset()

    def refresh(self, now: float, pause: Callable[[], None]) -> bool | None:
        """Read what changed, calling `pause` every half millisecond of work on revocation lists.

        True: revocation lists were taken up; False: one was refused; None: neither.
        """
        before = self.lists.generation
        self._authorities.refresh()
        self._policies.refresh()
        self.lists.refresh(now, pause)
        self._voms.refresh()
        errors, self._errors = self._errors, frozenset(self.lists.errors())
        if self._errors - errors:
            return False
        return True if self.lists.generation != before else None

    def authorities(self) -> tuple[x509.Certificate, ...]:
        """List the trusted CAs. Raises ConfigError where there is none."""
        trusted = self._authorities.trusted
        found = tuple(link.certificate for links in trusted.by_subject.values() for link in links)
        if found:
            return found
        path = self._files.authorities
        if trusted.errors:
            raise ConfigError(f"CAs of the clients: {min(trusted.errors.values())}")
        raise ConfigError(f"CAs of the clients: {path} holds no file named HASH.0; do: openssl rehash {path}")

    def gate(self, roles: RoleTable, clock: Callable[[], float]) -> Gate:
        """Build a gate that decides by these rules."""
        return Gate(
            roles,
            revocation=self.lists,
            policies=self._policies,
            attributes=self._voms,
            proxies=self._files.proxies,
            clock=clock,
        )
