"""The TLS context and the gate of a process, kept up to date with their files without a restart."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from rcmon.access.authorities import Authorities
from rcmon.access.credential import Credential, load_credential
from rcmon.access.crl import CrlMode, CrlStatus, RevocationLists
from rcmon.access.followed import Followed, look
from rcmon.access.gate import Gate
from rcmon.access.rehearsal import try_handshake
from rcmon.access.roles import RoleTable
from rcmon.access.signing_policy import SigningPolicies
from rcmon.access.tls import server_context
from rcmon.errors import ConfigError

log = logging.getLogger(__name__)

_PAUSE = 0.0005
"""Seconds for which a list being read leaves the interpreter to the event loop, every half millisecond."""


class TrustFiles(Struct, frozen=True, kw_only=True):
    """The files that decide who is let in, and how they are taken."""

    certificate: Path
    """The server's, PEM, with its chain."""
    key: Path
    authorities: Path
    """PEM file or hashed directory of the CAs that clients' certificates come from."""
    roles: Path
    proxies: bool = True
    """Whether RFC 3820 proxies are accepted."""
    crl: CrlMode = CrlMode.IF_PRESENT
    crl_file: Path | None = None
    """Revocation lists beside those in the hashed directory."""
    vomsdir: Path | None = None
    """Directory of the VOMS servers that are trusted; None: no VOMS attribute is."""


class _Secured(Struct, frozen=True, eq=False):
    """A TLS context and what it was made from."""

    context: ssl.SSLContext
    credential: Credential
    authorities: tuple[bytes, ...]


class Trust:
    """The newest TLS context and the gate; `check` takes up what changed.

    Made before the fork, where everything must be right, then followed by each process on its own. A broken
    new file is refused with one line in the log and what was there before stays in use.
    Raises ConfigError.
    """

    def __init__(self, files: TrustFiles, *, clock: Callable[[], float] = time.time) -> None:
        self._files, self._clock = files, clock
        self._authorities = Authorities(files.authorities)
        self._policies = SigningPolicies(self._authorities)
        lists = [files.crl_file] if files.crl_file else []
        self._lists = RevocationLists(self._authorities, files.crl, lists)
        self._list_errors: tuple[str, ...] = ()
        self._refresh_rules(lambda: None)
        self._secured = Followed(self._secured_stamp, self._load_secured)
        self._roles = Followed(lambda: look(files.roles), lambda _: RoleTable.load(files.roles))
        self.gate = Gate(
            self._roles.value,
            revocation=self._lists,
            policies=self._policies,
            proxies=files.proxies,
            clock=clock,
        )

    @property
    def context(self) -> ssl.SSLContext:
        """The newest context, for new connections."""
        return self._secured.value.context

    def certificate_not_after(self) -> float:
        """Tell until when the server's certificate is valid, seconds since the epoch."""
        return self._secured.value.credential.not_after

    def crls(self) -> Sequence[CrlStatus]:
        """Tell how each revocation list does; none where they are off."""
        return self._lists.status()

    async def check(self) -> list[tuple[str, bool]]:
        """Take up what changed; files are read in a thread. One check at a time.

        Returns what was reloaded (tls, roles, crl) and whether it was taken up.
        """
        outcomes = await asyncio.to_thread(self._look_at_files)
        if ("roles", True) in outcomes:
            self.gate.replace_roles(self._roles.value)
        return outcomes

    def _look_at_files(self) -> list[tuple[str, bool]]:
        rules = self._refresh_rules(lambda: time.sleep(_PAUSE))
        seen = {"crl": rules, "tls": self._secured.refresh(), "roles": self._roles.refresh()}
        return [(what, outcome) for what, outcome in seen.items() if outcome is not None]

    def _refresh_rules(self, pause: Callable[[], None]) -> bool | None:
        """Read the CAs, policies and lists that changed; tell as `Followed.refresh` does about the lists."""
        before = self._lists.generation
        self._authorities.refresh()
        self._policies.refresh()
        self._lists.refresh(self._clock(), pause)
        errors, self._list_errors = self._list_errors, self._lists.errors()
        if set(self._list_errors) - set(errors):
            return False
        return True if self._lists.generation != before else None

    def _secured_stamp(self) -> object:
        return look(self._files.certificate), look(self._files.key), self._trusted_der()

    def _trusted_der(self) -> tuple[bytes, ...]:
        by_subject = self._authorities.trusted.by_subject
        return tuple(link.der for links in by_subject.values() for link in links)

    def _load_secured(self, current: _Secured | None) -> _Secured:
        """Build a context and try it. Gives back the current one where nothing in it would be new."""
        credential = load_credential(self._files.certificate, self._files.key)
        trusted = self._trusted_der()
        if current and (credential.certificates, trusted) == (
            current.credential.certificates,
            current.authorities,
        ):
            return current
        if not trusted:
            raise ConfigError(self._no_authorities())
        self._check_validity(credential, current)
        context = server_context(
            credential, map(x509.load_der_x509_certificate, trusted), proxies=self._files.proxies
        )
        try_handshake(context)
        return _Secured(context, credential, trusted)

    def _no_authorities(self) -> str:
        path = self._files.authorities
        if errors := sorted(self._authorities.trusted.errors.values()):
            return f"CAs of the clients: {errors[0]}"
        return f"CAs of the clients: {path} holds no file named HASH.0; do: openssl rehash {path}"

    def _check_validity(self, credential: Credential, current: _Secured | None) -> None:
        """Refuse to replace a valid certificate by one that is not; warn of one at the start."""
        now = self._clock()
        if credential.not_before <= now < credential.not_after:
            return
        problem = f"server certificate {self._files.certificate} has expired, or is not valid yet"
        if current and current.credential.not_before <= now < current.credential.not_after:
            raise ConfigError(problem)
        log.warning("%s: clients will refuse it", problem)
