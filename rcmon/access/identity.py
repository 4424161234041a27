"""Who a verified chain proves: the end entity behind its proxies, never a name cut by pattern."""

import itertools
from collections.abc import Mapping, Sequence

from msgspec import Struct

from rcmon.access.authority.refusal import TRUST_REFUSALS
from rcmon.access.chain import ChainLink, read_link
from rcmon.access.der.alternative_names import AlternativeNames, read_alternative_names
from rcmon.access.der.asn1 import DerError
from rcmon.access.der.oids import INHERIT_ALL, LIMITED, SUBJECT_ALT_NAME
from rcmon.access.names.attribute_types import COMMON_NAME
from rcmon.access.names.dn import Dn
from rcmon.errors import IdentityError

MAX_PROXY_DEPTH = 8

REFUSALS: Mapping[str, str] = {
    "no_chain": "the connection has no verified chain, as when a TLS session was resumed",
    "malformed": "a certificate cannot be read",
    "name": "a name holds a control character, or is no name",
    "alternative_name": "an alternative name cannot be read or is not visible ASCII",
    "chain": "a certificate's issuer is not the subject of the next",
    "no_end_entity": "the chain is proxies from end to end",
    "proxies_refused": "proxy certificates are not accepted here",
    "proxy_not_critical": "proxyCertInfo is not marked critical, as RFC 3820 demands",
    "proxy_malformed": "proxyCertInfo cannot be read",
    "proxy_policy": "the proxy's policy is neither to inherit all rights nor limited",
    "proxy_subject": "a proxy's subject is not its issuer's plus one CN",
    "proxy_depth": f"more than {MAX_PROXY_DEPTH} proxies follow each other",
    "expired": "a certificate of the chain has expired",
    "not_yet_valid": "a certificate of the chain is not valid yet",
    **TRUST_REFUSALS,
}
"""Every reason why a chain proves nobody who is let in, safe as a metric label, with one sentence."""


class Identity(Struct, frozen=True, eq=False):
    """Who is at the other end of a connection. Each is only equal to itself."""

    issuer: Dn
    subject: Dn
    sans: AlternativeNames
    serial: int
    not_before: float
    """When the last certificate of the chain begins to be valid, seconds since the epoch."""
    not_after: float
    """When the first certificate of the chain expires, seconds since the epoch."""
    limited: bool
    """Whether a limited proxy stands in between: such a one may read and nothing else."""
    proxy_depth: int
    """How many proxies stand between the client and the end entity."""
    chain: tuple[ChainLink, ...]
    """The chain from the client's certificate to the root; the end entity is `chain[proxy_depth]`."""

    @property
    def uri(self) -> str | None:
        """The URI that names the client: SPIFFE X.509-SVID allows exactly one, of several none counts."""
        return self.sans.uris[0] if len(self.sans.uris) == 1 else None


def identify(chain_der: Sequence[bytes]) -> Identity:
    """Tell who a verified chain (DER, leaf first) proves.

    Walks it as RFC 3820 defines proxies: while a certificate carries proxyCertInfo it must be critical and
    its policy inherit-all or limited; the first without it is the identity. Raises IdentityError.
    """
    if not chain_der:
        raise IdentityError("no_chain", "the connection has no verified certificate chain")
    chain = tuple(read_link(data) for data in chain_der)
    for link, above in itertools.pairwise(chain):
        if link.issuer != above.subject:
            raise IdentityError(
                "chain", f"{link.subject} names {link.issuer} as its issuer, not {above.subject}"
            )
    depth = _proxies(chain)
    entity = chain[depth]
    return Identity(
        issuer=entity.issuer,
        subject=entity.subject,
        sans=_alternative_names(entity),
        serial=entity.serial,
        not_before=max(link.fields.not_before for link in chain),
        not_after=min(link.fields.not_after for link in chain),
        limited=any(link.proxy.language == LIMITED for link in chain if link.proxy),
        proxy_depth=depth,
        chain=chain,
    )


def _proxies(chain: Sequence[ChainLink]) -> int:
    """Count the proxies before the end entity and hold that each is one rcmon takes."""
    for depth, link in enumerate(chain):
        if link.proxy is None:
            return depth
        if depth == MAX_PROXY_DEPTH:
            raise IdentityError(
                "proxy_depth", f"more than {MAX_PROXY_DEPTH} proxies stand below {link.subject}"
            )
        if link.proxy.language not in {INHERIT_ALL, LIMITED} or link.proxy.policy is not None:
            text = "with" if link.proxy.policy else "without"
            raise IdentityError(
                "proxy_policy",
                f"the policy of proxy {link.subject} is {link.proxy.language} {text} a policy text,"
                f" not {INHERIT_ALL} (inherit all) or {LIMITED} (limited)",
            )
        if not _extends(link):
            raise IdentityError("proxy_subject", f"proxy {link.subject} is not {link.issuer} plus one CN")
    raise IdentityError("no_end_entity", f"the chain of {chain[0].subject} holds nothing but proxies")


def _extends(link: ChainLink) -> bool:
    """Tell whether a proxy's subject is its issuer's plus one CN (RFC 3820, 3.4)."""
    *base, last = link.subject.rdns or (frozenset(),)
    return tuple(base) == link.issuer.rdns and [oid for oid, _ in last] == [COMMON_NAME]


def _alternative_names(entity: ChainLink) -> AlternativeNames:
    extension = entity.fields.extensions.get(SUBJECT_ALT_NAME)
    if extension is None:
        return AlternativeNames()
    try:
        return read_alternative_names(extension.value)
    except DerError as error:
        raise IdentityError(
            "alternative_name", f"the alternative names of {entity.subject}: {error}"
        ) from error
