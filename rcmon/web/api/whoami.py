"""An identity as the service understands it, told to whom it belongs."""

from collections.abc import Sequence

from msgspec import Struct

from rcmon.access.chain import ChainLink
from rcmon.access.der.oids import LIMITED
from rcmon.access.names.dn import Dn
from rcmon.access.roles import Role
from rcmon.timestamps import iso
from rcmon.web.transport.peer import Peer


class Name(Struct, frozen=True):
    """A distinguished name in both written forms."""

    slash: str
    rfc4514: str


class Certificate(Struct, frozen=True):
    """One certificate of the chain."""

    subject: str
    issuer: str
    serial: str
    """Hexadecimal."""
    not_before: str | None
    not_after: str | None
    proxy: str | None
    """`full` or `limited` where it is a proxy (RFC 3820)."""


class FqanShape(Struct, frozen=True):
    """One VOMS attribute, such as /cms/Role=production."""

    name: str
    verified: bool


class Whoami(Struct, frozen=True):
    """Who is at the other end of a connection."""

    subject: Name
    issuer: Name
    roles: Sequence[str]
    agents: Sequence[str]
    """Names of the agents that it may report for; `*` for an admin, who may for any."""
    expires: str | None
    """When the first certificate of the chain expires."""
    dns: Sequence[str]
    uris: Sequence[str]
    emails: Sequence[str]
    fqans: Sequence[FqanShape]
    """VOMS attributes; only verified ones can grant a role."""
    proxy: bool
    limited: bool
    """Whether a limited proxy stands in between: it may read and nothing else."""
    chain: Sequence[Certificate]
    """From the client's certificate to the root."""


def name(dn: Dn) -> Name:
    """Write a name in both forms."""
    return Name(dn.slash(), dn.rfc4514())


def describe(peer: Peer) -> Whoami:
    """Describe the identity of a connection with the roles that it has now."""
    identity, decision = peer.identity, peer.decision()
    return Whoami(
        subject=name(identity.subject),
        issuer=name(identity.issuer),
        roles=sorted(role.value for role in decision.roles),
        agents=["*"] if Role.ADMIN in decision.roles else sorted(decision.agents),
        expires=iso(identity.not_after),
        dns=identity.sans.dns,
        uris=identity.sans.uris,
        emails=identity.sans.emails,
        fqans=tuple(FqanShape(fqan.value, fqan.verified) for fqan in decision.fqans),
        proxy=identity.proxy_depth > 0,
        limited=identity.limited,
        chain=tuple(map(_certificate, identity.chain)),
    )


def _certificate(link: ChainLink) -> Certificate:
    kind = "limited" if link.proxy and link.proxy.language == LIMITED else "full" if link.proxy else None
    return Certificate(
        subject=str(link.subject),
        issuer=str(link.issuer),
        serial=f"{link.serial:X}",
        not_before=iso(link.fields.not_before),
        not_after=iso(link.fields.not_after),
        proxy=kind,
    )
