"""The revocation lists in force, and what they say about a certificate.

Decisions: a list that has expired refuses its CA's certificates in both modes, as OpenSSL and the grid's
middleware do (who can hold back new lists must not win by waiting). A list that is there and cannot be used
refuses them too, unless an earlier one is in use. `if-present` lets pass only what a CA without any issued.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from rcmon.access.authority import refusal
from rcmon.access.authority.authorities import HashedFile
from rcmon.access.authority.crl.files import CrlFile
from rcmon.access.authority.crl.parse import RevocationList
from rcmon.access.authority.refusal import Refusal
from rcmon.access.chain import ChainLink
from rcmon.access.names.dn import Dn


class CrlMode(StrEnum):
    """What becomes of a certificate whose CA has no revocation list here."""

    REQUIRE = "require"
    IF_PRESENT = "if-present"
    OFF = "off"


class Table(Struct, frozen=True):
    """The lists in use, for looking up."""

    in_force: Mapping[tuple[Dn, bytes], RevocationList]
    """By CA name and key."""
    of_name: Mapping[Dn, tuple[RevocationList, ...]]
    """By CA name: a serial number belongs to the name, whichever of its keys signed the list."""
    unusable: Mapping[Dn, str]
    """CAs beside which lies a file of which nothing could ever be used, and why."""

    def refusal(self, subject: ChainLink, issuer: ChainLink, mode: CrlMode, now: float) -> Refusal | None:
        """Say why a certificate of this issuer is refused; None: it is not."""
        for each in self.of_name.get(issuer.subject, ()):
            if subject.fields.serial in each.serials:
                return Refusal(refusal.REVOKED, f"{subject.subject} is revoked by {issuer.subject}")
        own = self.in_force.get((issuer.subject, issuer.fields.public_key))
        if own is None:
            return self._without(issuer.subject, mode)
        if own.next_update <= now:
            since = datetime.fromtimestamp(own.next_update, UTC).isoformat()
            message = f"the revocation list of {issuer.subject} expired at {since}"
            return Refusal(refusal.CRL_EXPIRED, message)
        return None

    def _without(self, authority: Dn, mode: CrlMode) -> Refusal | None:
        if authority in self.unusable:
            return Refusal(refusal.CRL_UNUSABLE, f"no usable revocation list of {authority}")
        if mode is CrlMode.REQUIRE:
            return Refusal(refusal.CRL_MISSING, f"no revocation list of {authority}, and one is required")
        return None

    def signatures(self) -> frozenset[bytes]:
        """Tell one set of lists in use from another."""
        return frozenset(each.signature for each in self.in_force.values())

    def answers(self, now: float) -> object:
        """Give a value that differs whenever `refusal` may answer differently."""
        in_force = {(key, each.signature, each.next_update <= now) for key, each in self.in_force.items()}
        return frozenset(in_force), frozenset(self.unusable)


def make_table(
    files: Iterable[tuple[CrlFile, HashedFile | None]], by_hash: Mapping[str, tuple[ChainLink, ...]]
) -> Table:
    """Arrange the lists of all files; a file of a hashed directory comes with its name's parts."""
    in_force: dict[tuple[Dn, bytes], RevocationList] = {}
    unusable: dict[Dn, str] = {}
    for file, hashed in files:
        for each in file.lists:
            key = (each.issuer, each.public_key)
            in_force[key] = max(in_force.get(key, each), each, key=lambda one: one.this_update)
        if hashed is not None and not file.lists:
            for authority in by_hash.get(hashed.hash, ()):
                unusable[authority.subject] = "; ".join(file.errors)
    of_name: dict[Dn, tuple[RevocationList, ...]] = defaultdict(tuple)
    for (name, _), each in in_force.items():
        of_name[name] += (each,)
    return Table(in_force, dict(of_name), unusable)
