"""Why the CAs' own rules - revocation lists, namespaces - refuse a certificate that OpenSSL let pass."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from rcmon.access.chain import Chain

REVOKED = "revoked"
CRL_MISSING = "crl_missing"
CRL_EXPIRED = "crl_expired"
CRL_UNUSABLE = "crl_unusable"
NAMESPACE = "namespace"
POLICY_MISSING = "policy_missing"
POLICY_UNUSABLE = "policy_unusable"
UNREADABLE = "unreadable"
NOT_LOADED = "not_loaded"

TRUST_REFUSALS: Mapping[str, str] = {
    REVOKED: "a certificate of the chain is on its CA's revocation list",
    CRL_MISSING: "revocation lists are required, and there is none of the CA",
    CRL_EXPIRED: "the CA's revocation list has expired",
    CRL_UNUSABLE: "the CA's revocation list cannot be used, and there is no earlier one",
    NAMESPACE: "the subject lies outside the namespace that the CA's signing policy grants",
    POLICY_MISSING: "other CAs of the directory have a signing policy, and the CA has none",
    POLICY_UNUSABLE: "the CA's signing policy cannot be read, and there is no earlier one",
    UNREADABLE: "a certificate of the chain cannot be read",
    NOT_LOADED: "the CA files have not been read yet",
}
"""Every reason, safe as a metric label, with one sentence."""


class Refusal(Struct, frozen=True):
    """A chain that is not let in: `reason` is a key of TRUST_REFUSALS, `message` names what was found."""

    reason: str
    message: str


class ChainRule(Protocol):
    """A rule of the CAs' own over verified chains: revocation lists, signing policies."""

    @property
    def generation(self) -> int:
        """Grows when an answer may have changed otherwise than by the clock."""
        ...

    def refusal(self, chain: Chain, now: float) -> Refusal | None:
        """Say why a chain is refused at `now` (seconds since the epoch); None: it is not."""
        ...
