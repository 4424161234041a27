"""The trusted CAs with their own rules - signing policies, revocation lists - and the VOMS servers."""

from collections.abc import Callable, Collection, Hashable
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from rcmon.access.authority.authorities import NO_CA, Authorities
from rcmon.access.authority.crl import CrlMode, RevocationLists
from rcmon.access.authority.signing_policy import SigningPolicies
from rcmon.access.authority.voms import VomsAttributes
from rcmon.errors import ConfigError
from rcmon.files.reloads import Reloads


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
        self.policies = SigningPolicies(self._authorities)
        self.lists = RevocationLists(self._authorities, files.crl, [files.crl_file] if files.crl_file else [])
        self.attributes = VomsAttributes(files.vomsdir, self._authorities, [self.policies, self.lists], hosts)

    def refresh(
        self, now: float, pause: Callable[[], None], *, again: bool = False
    ) -> dict[str, bool | None]:
        """Read what changed, calling `pause` every half millisecond of work on revocation lists.

        Gives what came of each kind of files, by name; see `Reloads.tell`.
        """
        return {
            "authorities": self._authorities.refresh(again=again),
            "signing_policy": self.policies.refresh(again=again),
            "crl": self.lists.refresh(now, pause, again=again),
            "voms": self.attributes.refresh(again=again),
        }

    def reloads(self) -> tuple[Reloads, ...]:
        """List how each kind of files does."""
        parts = (self._authorities, self.policies, self.lists, self.attributes)
        return tuple(part.reloads for part in parts)

    def in_use(self) -> dict[str, Hashable]:
        """Give of each kind of files something that is equal where the same content is in use."""
        parts = (self._authorities, self.policies, self.lists, self.attributes)
        return {part.reloads.what: part.in_use() for part in parts}

    def authorities(self) -> tuple[x509.Certificate, ...]:
        """List the trusted CAs. Raises ConfigError where there is none."""
        trusted = self._authorities.trusted
        found = tuple(link.certificate for links in trusted.by_subject.values() for link in links)
        if found:
            return found
        path = self._files.authorities
        if trusted.errors:
            raise ConfigError(f"CAs of the clients: {min(trusted.errors.values())}")
        raise ConfigError(f"CAs of the clients: {path} {NO_CA.format(path=path)}")
