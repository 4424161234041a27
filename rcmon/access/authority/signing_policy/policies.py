"""The signing policies beside the CAs of a hashed directory, and what they say about a chain.

Decisions: where no CA of the directory has a policy, none is asked for - a directory of plain OpenSSL. Where
any has one, it is a grid's directory, and a CA without one may sign nothing, as in Globus; CANL would let it
sign everything. A policy that cannot be read refuses its CA, unless an earlier reading was good.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping
from pathlib import Path

from msgspec import Struct

from rcmon.access.authority import refusal
from rcmon.access.authority.authorities import Authorities, Trusted
from rcmon.access.authority.refusal import Refusal
from rcmon.access.authority.signing_policy.parse import PolicyError, SigningPolicy, parse_signing_policy
from rcmon.access.chain import Chain, ChainLink, issued
from rcmon.access.names.dn import Dn
from rcmon.files.follower import FileSet
from rcmon.files.reading import FileError, read_text
from rcmon.files.reloads import Reloads

MAX_FILE = 1024 * 1024
"""Octets; the longest one of the IGTF has 2 KB."""

Policies = tuple[SigningPolicy, ...]


class _Table(Struct, frozen=True):
    """What is asked: by CA the policies of its files, None for a file that could never be read."""

    enforced: bool = False
    of_authority: Mapping[Dn, tuple[Policies | None, ...]] = {}

    def refusal(self, subject: ChainLink, issuer: ChainLink) -> Refusal | None:
        """Say why a certificate of this issuer is refused; None: it is not."""
        if subject.subject == issuer.subject:
            return None  # a CA's new key signed with its old one, or the reverse: the name is its own
        files = self.of_authority.get(issuer.subject, ())
        if not files:
            return Refusal(refusal.POLICY_MISSING, f"no signing_policy file of {issuer.subject}")
        for policies in files:
            if policies is None:
                message = f"the signing_policy file of {issuer.subject} cannot be read"
                return Refusal(refusal.POLICY_UNUSABLE, message)
            own = [policy for policy in policies if policy.authority == issuer.subject]
            if not any(policy.allows(subject.subject) for policy in own):
                message = f"the signing policy of {issuer.subject} does not allow {subject.subject}"
                return Refusal(refusal.NAMESPACE, message)
        return None


class SigningPolicies:
    """The signing policies of a hashed CA directory; without one, no chain is refused.

    `refresh` belongs to one thread at a time; `refusal` may be called meanwhile. `generation` grows when an
    answer of `refusal` may have changed.
    """

    def __init__(self, authorities: Authorities) -> None:
        self.generation = 0
        self._authorities = authorities
        self.reloads = Reloads("signing_policy")
        self._files = FileSet(_read)
        self._table: _Table | None = None

    def refresh(self, *, again: bool = False) -> bool | None:
        """Read the files that changed; see `Reloads.tell`. Never raises."""
        trusted, before = self._authorities.trusted, self._files.values()
        self._files.refresh({file.path: file.stamp for file in trusted.policies})
        table = _table(trusted, self._files.values())
        if table != self._table:
            self._table = table
            self.generation += 1
        news = self._files.values() != before
        return self.reloads.tell(sorted(self._files.errors().values()), news=news, again=again)

    def in_use(self) -> Hashable:
        """Give something that is equal where the policies are the same."""
        return frozenset(self._files.values().items())

    def refusal(self, chain: Chain, now: float) -> Refusal | None:  # noqa: ARG002 - as every rule is asked
        """Say why one of a chain's certificates is refused; None: none is."""
        if self._table is None:
            return Refusal(refusal.NOT_LOADED, "the signing policies have not been read yet")
        if not self._table.enforced:
            return None
        for subject, issuer in issued(chain):
            if found := self._table.refusal(subject, issuer):
                return found
        return None


def _table(trusted: Trusted, in_use: Mapping[Path, Policies]) -> _Table:
    found: dict[Dn, list[Policies | None]] = defaultdict(list)
    for file in trusted.policies:
        policies = in_use.get(file.path)
        for authority in {link.subject for link in trusted.by_hash.get(file.hash, ())}:
            if policies not in found[authority]:
                found[authority].append(policies)
    return _Table(bool(trusted.policies), {authority: tuple(files) for authority, files in found.items()})


def _read(path: Path) -> Policies:
    try:
        return parse_signing_policy(read_text(path, MAX_FILE))
    except PolicyError as error:
        raise FileError(f"{path}, {error}") from error
