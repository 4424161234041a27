"""The TLS context and the gate of a process, kept up to date with their files without a restart."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from rcmon.access.authority.crl import CrlStatus
from rcmon.access.authority.rules import RuleFiles, Rules
from rcmon.access.gate import Gate
from rcmon.access.handshake.ca_names import CaNames
from rcmon.access.handshake.credential import Credential, load_credential
from rcmon.access.handshake.rehearsal import try_handshake
from rcmon.access.handshake.tls import server_context
from rcmon.access.roles import RoleTable
from rcmon.access.versions import Versions
from rcmon.errors import ConfigError
from rcmon.files.follower import Follower
from rcmon.files.stamp import stamp_of

LOG = logging.getLogger(__name__)

_PAUSE = 0.0005
"""Seconds for which a list being read leaves the interpreter to the event loop, every half millisecond."""


class TrustFiles(RuleFiles, frozen=True, kw_only=True):
    """The files that decide who is let in, and how they are taken."""

    certificate: Path
    """The server's, PEM, with its chain."""
    key: Path
    roles: Path
    ca_names: CaNames = CaNames.AUTO
    """Whether clients are told the names of the CAs."""


class _Secured(Struct, frozen=True, eq=False):
    """A TLS context and what it was made from."""

    context: ssl.SSLContext
    credential: Credential
    authorities: tuple[x509.Certificate, ...]
    names: tuple[str, ...]
    """The host names that the certificate is for."""


class Trust:
    """The newest TLS context and the gate; `check` takes up what changed.

    Made before the fork, where everything must be right, then followed by each process on its own: by `check`
    in a loop, by `follow` in the parent, whose children begin with what it holds. A broken new file is
    refused with one line in the log and what was there before stays in use; `versions` tells what that is.
    Raises ConfigError.
    """

    def __init__(self, files: TrustFiles, *, clock: Callable[[], float] = time.time) -> None:
        self._files, self._clock = files, clock
        own = load_credential(files.certificate, files.key)
        self._rules = Rules(files, own.host_names)
        self._rules.refresh(clock(), lambda: None)
        self._check_named_files()
        self._secured = Follower("tls", self._secured_stamp, self._load_secured)
        self._roles = Follower("roles", lambda: stamp_of(files.roles), lambda _: RoleTable.load(files.roles))
        self._warn_of_roles()
        self.versions = Versions()
        self._note_versions()
        self._deciding = self._roles.value
        self.gate = Gate.by_rules(self._rules, self._deciding, proxies=files.proxies, clock=clock)

    @property
    def context(self) -> ssl.SSLContext:
        """The newest context, for new connections."""
        return self._secured.value.context

    def certificate_not_after(self) -> float:
        """Tell until when the server's certificate is valid, seconds since the epoch."""
        return self._secured.value.credential.not_after

    def host_names(self) -> tuple[str, ...]:
        """Tell the host names that the server's certificate is for: the same tuple until it is replaced."""
        return self._secured.value.names

    def roles(self) -> tuple[RoleTable, str | None]:
        """Tell which roles are in use, and why the newest content of their file is not; None: it is."""
        return self._roles.value, self._roles.reloads.reason

    @property
    def roles_file(self) -> Path:
        """Where the roles are read from."""
        return self._files.roles

    def crls(self) -> Sequence[CrlStatus]:
        """Tell how each revocation list does; none where they are off."""
        return self._rules.lists.status()

    def troubles(self) -> dict[str, str | None]:
        """Tell of each kind of files why its newest content is not in use; None: it is.

        The kinds are tls, roles, authorities, signing_policy, crl and voms.
        """
        reloads = (self._secured.reloads, self._roles.reloads, *self._rules.reloads())
        return {each.what: each.reason for each in reloads}

    async def check(self, *, again: bool = False) -> list[tuple[str, bool]]:
        """Take up what changed or was refused; files are read in a thread. One check at a time.

        Returns what was reloaded, one of the kinds of `troubles`, and whether it was taken up. `again`:
        somebody asked for it, and what is still refused is told once more.
        """
        try:
            return await asyncio.to_thread(self._look_at_files, lambda: time.sleep(_PAUSE), again=again)
        finally:
            self._decide_by_newest_roles()

    def follow(self, *, again: bool = False) -> None:
        """Do as `check` does, where no loop runs and nobody waits."""
        try:
            self._look_at_files(lambda: None, again=again)
        finally:
            self._decide_by_newest_roles()

    def _decide_by_newest_roles(self) -> None:
        """Take a role away also where the look at another kind of files failed as nobody expected."""
        if self._deciding != self._roles.value:
            self._deciding = self._roles.value
            self.gate.replace_roles(self._deciding)

    def _warn_of_roles(self) -> None:
        path = self._files.roles
        self._roles.reloads.warn([f"{path}, {warning}" for warning in self._roles.value.warnings])

    def _check_named_files(self) -> None:
        """Refuse to start with a file that was named and cannot be used: its rules would silently be gone."""
        for status in self._rules.lists.status():
            if status.error and self._files.crl_file and Path(status.file) == self._files.crl_file:
                raise ConfigError(f"revocation lists {status.file}: {status.error}")
        vomsdir = self._files.vomsdir
        if vomsdir is not None and not vomsdir.is_dir():
            raise ConfigError(f"vomsdir {vomsdir}: not a directory; name one that holds VO/HOST.lsc files")

    def _look_at_files(self, pause: Callable[[], None], *, again: bool) -> list[tuple[str, bool]]:
        seen = {"roles": self._roles.refresh(again=again)}
        seen |= self._rules.refresh(self._clock(), pause, again=again)
        seen |= {"tls": self._secured.refresh(again=again)}
        self._warn_of_roles()
        self._note_versions()
        return [(what, outcome) for what, outcome in seen.items() if outcome is not None]

    def _note_versions(self) -> None:
        secured = self._secured.value
        self.versions.note(
            {
                "tls": (secured.credential.certificates, secured.authorities),
                "roles": self._roles.value.in_use,
                **self._rules.in_use(),
            }
        )

    def _secured_stamp(self) -> object:
        try:
            authorities: object = self._rules.authorities()
        except ConfigError as error:
            authorities = str(error)
        return stamp_of(self._files.certificate), stamp_of(self._files.key), authorities

    def _load_secured(self, current: _Secured | None) -> _Secured:
        """Build a context and try it. Gives back the current one where nothing in it would be new."""
        credential = load_credential(self._files.certificate, self._files.key)
        authorities = self._rules.authorities()
        made_of = (credential.certificates, authorities)
        if current and (current.credential.certificates, current.authorities) == made_of:
            return current
        self._check_validity(credential, current)
        try:
            context = server_context(
                credential, authorities, proxies=self._files.proxies, ca_names=self._files.ca_names
            )
            try_handshake(context)
        except ConfigError as error:
            raise ConfigError(f"server certificate {self._files.certificate} and the CAs: {error}") from error
        return _Secured(context, credential, authorities, credential.host_names)

    def _check_validity(self, credential: Credential, current: _Secured | None) -> None:
        """Refuse to replace a valid certificate by one that is not; warn of one at the start."""
        now = self._clock()
        if credential.is_valid(now):
            return
        problem = f"server certificate {self._files.certificate} has expired, or is not valid yet"
        if current and current.credential.is_valid(now):
            raise ConfigError(problem)
        LOG.warning("%s: clients will refuse it", problem)
