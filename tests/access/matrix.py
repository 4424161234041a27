"""The table of client certificates and proxies, and what becomes of each."""
# ruff: noqa: E501 - a table: one case, one line

from collections.abc import Callable, Set
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from msgspec import Struct

from rcmon.access.der.oids import INHERIT_ALL, LIMITED
from rcmon.access.names.dn import Dn
from tests.access import pki
from tests.access import world as w
from tests.access.grid_proxy import grid_proxy_init
from tests.access.https import Met
from tests.access.pki import Credential
from tests.access.world import ALICE, ALICE_DN, CA, CERN, DAY, LAX, OTHER, USERS, World

NOBODY: Set[str] = frozenset()
READER, AGENT, OPERATOR = {"reader"}, {"agent", "reader"}, {"operator", "reader"}
ADMIN = {"reader", "agent", "operator", "admin"}
USERS_DN = "/DC=ch/DC=cern/OU=Organic Units/OU=Users"
ALICE_NAME = ALICE.certificate.subject
SPIFFE = x509.UniformResourceIdentifier("spiffe://cern.ch/scraper")
OTHER_SPIFFE = x509.UniformResourceIdentifier("spiffe://cern.ch/other")
NO_WAY_UP = (
    "unable to get local issuer|certificate signature failure|self-signed certificate in certificate chain"
)
INVALID = "unable to get local issuer|invalid or inconsistent certificate extension"
"""A client's own OpenSSL refuses to load such a certificate as its own, but sends it as one above."""
OLD = {"begins": -2 * DAY, "lasts": DAY}
FUTURE = {"begins": DAY, "lasts": DAY}

Client = Credential | Path | None
Make = Callable[[], Client]


class Case(Struct, frozen=True):
    """A client and what becomes of it."""

    name: str
    make: Callable[[World, Path], Client]
    tls: str | None = None
    """Parts of OpenSSL's message where the handshake fails; any will do, for versions differ."""
    refused: str | None = None
    """Why the gate refuses."""
    subject: str | None = None
    """Who it is otherwise, and what that one may do."""
    roles: Set[str] = NOBODY
    limited: bool = False

    def differs(self, met: Met) -> str | None:
        """Say how what was met differs from what is expected; None: it does not."""
        if self.tls is not None:
            fits = met.tls is not None and any(part in met.tls for part in self.tls.split("|"))
            return None if fits else f"expected {self.tls!r}, {met}"
        expected = Met(None, self.refused, self.subject, met.issuer, frozenset(self.roles), self.limited)
        if self.refused is not None:
            expected = Met(None, self.refused, met.subject, met.issuer, frozenset(), met.limited)
        return None if met == expected else f"expected {expected}, {met}"


def fails(name: str, tls: str, make: Make) -> Case:
    return Case(name, lambda *_: make(), tls=tls)


def refused(name: str, reason: str, make: Make) -> Case:
    return Case(name, lambda *_: make(), refused=reason)


def known(name: str, subject: str, roles: Set[str], make: Make, *, limited: bool = False) -> Case:
    return Case(name, lambda *_: make(), subject=str(Dn.parse(subject)), roles=roles, limited=limited)


def user(*rdns: str | list[str], **options: object) -> Credential:
    return pki.entity(pki.name(*rdns), CA, **options)  # type: ignore[arg-type]


def alice(ca: Credential = CA, **options: object) -> Credential:
    """A certificate with alice's name."""
    return pki.entity(ALICE_NAME, ca, **options)  # type: ignore[arg-type]


def chain(depth: int, first: Credential = ALICE, **options: object) -> Credential:
    """Proxies below each other."""
    for _ in range(depth):
        first = pki.proxy(first, **options)  # type: ignore[arg-type]
    return first


def typed(value: str, kind: _ASN1Type) -> Credential:
    """A user whose last CN is of another string type."""
    cn = x509.RelativeDistinguishedName([x509.NameAttribute(pki.TYPES["CN"], value, kind)])
    return pki.entity(x509.Name([*pki.name(*USERS).rdns, cn]), CA)


def san(*names: x509.GeneralName, rdns: tuple[str, ...] = (*CERN, "CN=x")) -> Credential:
    return user(*rdns, sans=names)


def alone(credential: Credential) -> Credential:
    """Send the certificate without what is above it."""
    return Credential(credential.certificate, credential.key)


def forged() -> Credential:
    """A proxy that names alice as its issuer, signed with another key."""
    key = ec.generate_private_key(ec.SECP256R1())
    return pki.proxy(Credential(ALICE.certificate, key, ALICE.above))


def extension(oid: str, *, critical: bool) -> tuple[x509.ExtensionType, bool]:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\x05\x00"), critical


# fmt: off
CERTIFICATES = [
    known("user", ALICE_DN, OPERATOR, lambda: ALICE),
    known("user without the intermediate CA", ALICE_DN, OPERATOR, lambda: alone(ALICE)),
    known("admin", f"{USERS_DN}/CN=root", ADMIN, lambda: user(*USERS, "CN=root")),
    known("agent", f"{USERS_DN}/CN=agent", AGENT, lambda: user(*USERS, "CN=agent")),
    known("stranger", "/DC=ch/DC=cern/CN=stranger", NOBODY, lambda: user(*CERN, "CN=stranger")),
    known("of another CA", "/DC=org/CN=bob", NOBODY, lambda: pki.entity(pki.name("DC=org", "CN=bob"), OTHER)),
    known("no EKU", ALICE_DN, OPERATOR, lambda: alice(eku=None)),
    known("EKU for both ends", ALICE_DN, OPERATOR, lambda: alice(eku=[Eku.SERVER_AUTH, Eku.CLIENT_AUTH])),
    known("RSA key", ALICE_DN, OPERATOR, lambda: alice(key=pki.rsa_key(2048))),
    known("Ed25519 key", ALICE_DN, OPERATOR, lambda: alice(key=ed25519.Ed25519PrivateKey.generate())),
    known("unknown extension", ALICE_DN, OPERATOR, lambda: alice(more=[extension("1.2.3.4", critical=False)])),
    fails("no certificate", "PEER_DID_NOT_RETURN_A_CERTIFICATE", lambda: None),
    fails("unknown CA that has the name of the true one", NO_WAY_UP, lambda: alone(alice(w.UNKNOWN))),
    fails("unknown CA that is sent along", NO_WAY_UP,
          lambda: Credential(*two(alice(w.UNKNOWN)), (w.UNKNOWN.certificate,))),
    fails("self-signed", "self-signed certificate", lambda: pki.issue(ALICE_NAME, None)),
    fails("signed with another key", NO_WAY_UP,
          lambda: alone(pki.entity(ALICE_NAME, Credential(w.ROOT.certificate, pki.rsa_key(2048))))),
    fails("signed by a user", "invalid CA certificate",
          lambda: Credential(*two(pki.issue(pki.name(*CERN, "CN=root"), ALICE)), (ALICE.certificate,))),
    fails("below an expired CA", "certificate has expired", lambda: alice(w.EXPIRED_CA)),
    fails("outside of name constraints", "permitted subtree violation", lambda: alice(w.CONSTRAINED)),
    fails("below a CA too many", "path length constraint exceeded",
          lambda: pki.entity(pki.name("C=XX", "CN=a"), pki.authority(pki.name("C=XX", "CN=Sub"), w.CONSTRAINED))),
    fails("expired", "certificate has expired", lambda: w.EXPIRED),
    fails("not yet valid", "certificate is not yet valid", lambda: alice(**FUTURE)),
    fails("EKU for servers", "unsuitable certificate purpose", lambda: alice(eku=[Eku.SERVER_AUTH])),
    fails("EKU for mail", "unsuitable certificate purpose", lambda: alice(eku=[Eku.EMAIL_PROTECTION])),
    fails("key that only signs certificates", "unsuitable certificate purpose",
          lambda: pki.issue(ALICE_NAME, CA, extensions=[(pki.SIGN_USE, True)], above=(CA.certificate,))),
    fails("critical extension that nobody knows", "unhandled critical extension",
          lambda: alice(more=[extension("1.2.3.4", critical=True)])),
    fails("RSA key of 1024 bits", "EE certificate key too weak", lambda: alice(key=pki.rsa_key(1024))),
    refused("revoked", "revoked", lambda: w.REVOKED),
    refused("below a revoked CA", "revoked", lambda: alice(w.REVOKED_CA)),
    refused("CA with an expired revocation list", "crl_expired", lambda: alice(w.STALE)),
    refused("outside the CA's signing policy", "namespace", lambda: alice(OTHER)),
    refused("CA without a signing policy", "policy_missing", lambda: alice(w.SILENT)),
    refused("below a CA that is not in the directory", "policy_missing", lambda: alice(w.UNLISTED_CA)),
    known("right name of a CA that the role is not bound to", ALICE_DN, NOBODY, lambda: alice(LAX)),
]
"""Ordinary certificates."""

NAMES = [
    known("numeric CN more", f"{ALICE_DN}/CN=12345", NOBODY, lambda: pki.entity(pki.extend(ALICE_NAME, "12345"), CA)),
    known("CN=proxy more", f"{ALICE_DN}/CN=proxy", NOBODY, lambda: pki.entity(pki.extend(ALICE_NAME, "proxy"), CA)),
    known("CN=limited proxy more", f"{ALICE_DN}/CN=limited proxy", NOBODY,
          lambda: pki.entity(pki.extend(ALICE_NAME, "limited proxy"), CA)),
    known("a CN less", f"{USERS_DN}/CN=alice/CN=654321", NOBODY, lambda: user(*USERS, "CN=alice", "CN=654321")),
    known("other case", ALICE_DN.replace("alice", "Alice"), NOBODY,
          lambda: user(*USERS, "CN=Alice", "CN=654321", "CN=Alice Example")),
    known("space more", f"{ALICE_DN} ", NOBODY, lambda: user(*USERS, "CN=alice", "CN=654321", "CN=Alice Example ")),
    known("RDNs in one value", "/DC=ch/DC=cern/CN=a\\x2FCN=root", NOBODY, lambda: user(*CERN, "CN=a/CN=root")),
    known("UTF-8", f"{USERS_DN}/CN=Zoë Müller", READER, lambda: user(*USERS, "CN=Zoë Müller")),
    known("UTF-8 decomposed", f"{USERS_DN}/CN=Zoë Müller", READER, lambda: user(*USERS, "CN=Zoe\u0308 Mu\u0308ller")),
    known("UCS-2", f"{USERS_DN}/CN=Zoë Müller", READER, lambda: typed("Zoë Müller", _ASN1Type.BMPString)),
    known("UCS-4", f"{USERS_DN}/CN=Zoë Müller", READER, lambda: typed("Zoë Müller", _ASN1Type.UniversalString)),
    known("printable string", f"{USERS_DN}/CN=root", ADMIN, lambda: typed("root", _ASN1Type.PrintableString)),
    known("slash, comma, plus", "/DC=ch/DC=cern/O=CERN/IT/CN=Robot: a/b, c + d", READER,
          lambda: user(*CERN, "O=CERN/IT", "CN=Robot: a/b, c + d")),
    known("apostrophe, comma", f"{USERS_DN}/CN=O'Brien, Pat", READER, lambda: user(*USERS, "CN=O'Brien, Pat")),
    known("mail address", "/DC=ch/DC=cern/CN=mail/emailAddress=mail@cern.ch", READER,
          lambda: user(*CERN, "CN=mail", "emailAddress=mail@cern.ch")),
    known("multi-valued RDN", "/DC=ch/DC=cern/CN=multi+UID=m1", READER, lambda: user(*CERN, ["CN=multi", "UID=m1"])),
    known("multi-valued RDN turned round", "/DC=ch/DC=cern/CN=multi+UID=m1", READER,
          lambda: user(*CERN, ["UID=m1", "CN=multi"])),
    known("the same as two RDNs", "/DC=ch/DC=cern/CN=multi/UID=m1", NOBODY, lambda: user(*CERN, "CN=multi", "UID=m1")),
    refused("NUL in the CN", "name", lambda: user(*USERS, "CN=root\0.evil.org")),
    refused("line feed in the CN", "name", lambda: user(*USERS, "CN=root\nCN=x")),
    refused("turned writing in the CN", "name", lambda: user(*USERS, "CN=\u202etoor")),
    known("host in the subtree", "/DC=ch/DC=cern/OU=computers/CN=host/vm.cern.ch", READER,
          lambda: user(*CERN, "OU=computers", "CN=host/vm.cern.ch")),
    known("beside the subtree", "/DC=ch/DC=cern/OU=computers2/CN=a", NOBODY, lambda: user(*CERN, "OU=computers2", "CN=a")),
    known("the subtree's own name", "/DC=ch/DC=cern/OU=computers", NOBODY, lambda: user(*CERN, "OU=computers")),
    known("host name", "/DC=ch/DC=cern/CN=x", READER, lambda: san(x509.DNSName("Scraper.CERN.ch"))),
    known("longer host name", "/DC=ch/DC=cern/CN=x", NOBODY, lambda: san(x509.DNSName("scraper.cern.ch.evil.org"))),
    known("wildcard", "/DC=ch/DC=cern/CN=x", NOBODY, lambda: san(x509.DNSName("*.cern.ch"))),
    known("host name in the CN", "/DC=ch/DC=cern/CN=scraper.cern.ch", NOBODY, lambda: user(*CERN, "CN=scraper.cern.ch")),
    refused("NUL in the host name", "alternative_name", lambda: san(x509.DNSName("scraper.cern.ch\0.evil.org"))),
    known("SPIFFE", "/DC=ch/DC=cern/CN=x", READER, lambda: san(SPIFFE)),
    known("SPIFFE with two URIs", "/DC=ch/DC=cern/CN=x", NOBODY, lambda: san(SPIFFE, OTHER_SPIFFE)),
    known("SPIFFE with two equal URIs", "/DC=ch/DC=cern/CN=x", NOBODY, lambda: san(SPIFFE, SPIFFE)),
    known("SPIFFE of another workload", "/DC=ch/DC=cern/CN=x", NOBODY, lambda: san(OTHER_SPIFFE)),
]
"""What subjects and alternative names may hold."""

PROXIES = [
    known("proxy", ALICE_DN, OPERATOR, lambda: chain(1)),
    known("proxy of a proxy", ALICE_DN, OPERATOR, lambda: chain(2)),
    known("eight proxies", ALICE_DN, OPERATOR, lambda: chain(8)),
    refused("nine proxies", "proxy_depth", lambda: chain(9)),
    known("limited proxy", ALICE_DN, READER, lambda: chain(1, language=LIMITED), limited=True),
    known("proxy of a limited one", ALICE_DN, READER, lambda: chain(1, chain(1, language=LIMITED)), limited=True),
    known("limited proxy of another", ALICE_DN, READER, lambda: chain(1, chain(1), language=LIMITED), limited=True),
    known("proxy that outlives its user", ALICE_DN, OPERATOR, lambda: chain(1, lasts=100 * DAY)),
    known("proxy of a host", "/DC=ch/DC=cern/OU=computers/CN=a", READER, lambda: chain(1, user(*CERN, "OU=computers", "CN=a"))),
    known("proxy of a workload", "/DC=ch/DC=cern/CN=x", READER, lambda: chain(1, san(SPIFFE))),
    known("proxy of a stranger", "/DC=ch/DC=cern/CN=stranger", NOBODY, lambda: chain(1, user(*CERN, "CN=stranger"))),
    known("proxy below another CA's alice", ALICE_DN, NOBODY, lambda: chain(1, alice(LAX))),
    refused("independent proxy", "proxy_policy", lambda: chain(1, language=pki.INDEPENDENT)),
    refused("unknown policy", "proxy_policy", lambda: chain(1, language="1.2.3.4")),
    refused("proxy of one with an unknown policy", "proxy_policy", lambda: chain(1, chain(1, language="1.2.3.4"))),
    refused("policy with a text", "proxy_policy", lambda: chain(1, policy=b"read only")),
    refused("extension not critical", "proxy_not_critical", lambda: chain(1, critical=False)),
    refused("proxy of one whose extension is not critical", "proxy_not_critical", lambda: chain(1, chain(1, critical=False))),
    fails("proxy of one whose extension is garbage", INVALID, lambda: chain(1, chain(1, value=b"\x05\x00"))),
    fails("proxy of one whose extension is empty", INVALID, lambda: chain(1, chain(1, value=b""))),
    fails("path length exceeded", "proxy path length constraint exceeded", lambda: chain(1, chain(1, path_length=0))),
    fails("path length exceeded further up", "proxy path length constraint exceeded", lambda: chain(2, chain(1, path_length=1))),
    known("path length kept", ALICE_DN, OPERATOR, lambda: chain(1, chain(1, path_length=1))),
    fails("subject of somebody else", "proxy subject name violation",
          lambda: chain(1, user(*USERS, "CN=mallory"), subject=pki.extend(ALICE_NAME, "1"))),
    fails("subject without a CN more", "self-signed certificate|proxy subject name violation", lambda: chain(1, subject=ALICE_NAME)),
    fails("subject with two CNs more", "proxy subject name violation",
          lambda: chain(1, subject=pki.extend(pki.extend(ALICE_NAME, "1"), "2"))),
    fails("subject with another type more", "proxy subject name violation",
          lambda: chain(1, subject=x509.Name([*ALICE_NAME.rdns, *pki.name("OU=1").rdns]))),
    fails("forged signature", NO_WAY_UP, forged),
    fails("proxy made by a CA", "invalid non-CA certificate",
          lambda: Credential(*two(pki.proxy(CA)), (CA.certificate,))),
    fails("proxy without its user", NO_WAY_UP, lambda: alone(chain(1))),
    fails("proxy of an unknown CA's user", NO_WAY_UP, lambda: chain(1, alone(alice(w.UNKNOWN)))),
    fails("proxy of an expired user", "certificate has expired", lambda: chain(1, w.EXPIRED)),
    fails("expired proxy", "certificate has expired", lambda: chain(1, **OLD)),
    fails("proxy of an expired proxy", "certificate has expired", lambda: chain(1, chain(1, **OLD))),
    fails("proxy not yet valid", "certificate is not yet valid", lambda: chain(1, **FUTURE)),
    fails("proxy of one that says to be a CA", INVALID, lambda: chain(1, chain(1, more=[(x509.BasicConstraints(ca=True, path_length=None), True)]))),
    fails("proxy of one with an alternative name", INVALID, lambda: chain(1, chain(1, more=[(x509.SubjectAlternativeName([SPIFFE]), False)]))),
    refused("proxy of a revoked user", "revoked", lambda: chain(1, w.REVOKED)),
    refused("proxies of a revoked user", "revoked", lambda: chain(3, w.REVOKED)),
    refused("proxy of a user outside the signing policy", "namespace", lambda: chain(1, alice(OTHER))),
    refused("NUL in the proxy's CN", "name", lambda: chain(1, subject=pki.extend(ALICE_NAME, "1\x002"))),
    known("inherit-all said in full", ALICE_DN, OPERATOR, lambda: chain(1, language=INHERIT_ALL, path_length=100)),
]
"""Proxies of all kinds, made by hand."""
# fmt: on


def two(credential: Credential) -> tuple[x509.Certificate, pki.CertificateIssuerPrivateKeyTypes]:
    return credential.certificate, credential.key


GRID_DN = "/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=grid"
STRANGER_DN = "/DC=ch/DC=cern/OU=Organic Units/OU=Users/CN=nobody"
"""Users with an RSA key, as the grid's tools want it."""


def by_globus(name: str, *options: str, then: tuple[tuple[str, ...], ...] = (), **expected: object) -> Case:
    """A proxy by grid-proxy-init; `then`: others, each made of the one before."""

    def make(world: World, directory: Path) -> Path:
        first = [word.replace("POLICY", str(world.policy)) for word in options]
        made = grid_proxy_init(directory, world.grid_user, *first)
        for words in then:
            made = grid_proxy_init(directory, made, *words)
        return made

    return Case(f"grid-proxy-init: {name}", make, **expected)  # type: ignore[arg-type]


def by_voms(
    name: str, *options: str, fqans: tuple[str, ...] = (), who: str = "grid_user", **expected: object
) -> Case:
    """A proxy by voms-proxy-fake."""

    def make(world: World, directory: Path) -> Path:
        made = world.voms.proxy(*options, fqans=fqans, user=getattr(world, who))
        return made.rename(directory / "x509up")

    return Case(f"voms-proxy-fake: {name}", make, **expected)  # type: ignore[arg-type]


LIMITED_GRID = {"subject": GRID_DN, "roles": READER, "limited": True}
PRODUCTION = ("/cms/Role=production/Capability=NULL", "/cms/Role=NULL/Capability=NULL")
TOOLS = [
    by_globus("plain", "-rfc", subject=GRID_DN, roles=READER),
    by_globus("default", subject=GRID_DN, roles=READER),
    by_globus("of a proxy", "-rfc", then=(("-rfc",),), subject=GRID_DN, roles=READER),
    by_globus("limited", "-rfc", "-limited", **LIMITED_GRID),
    by_globus("of a limited one", "-rfc", "-limited", then=(("-rfc",),), **LIMITED_GRID),
    by_globus("limited of a plain one", "-rfc", then=(("-rfc", "-limited"),), **LIMITED_GRID),
    by_globus("independent", "-rfc", "-independent", refused="proxy_policy"),
    by_globus("of an independent one", "-rfc", "-independent", then=(("-rfc",),), refused="proxy_policy"),
    by_globus("unknown policy", "-rfc", "-policy", "POLICY", "-pl", "1.2.3.4", refused="proxy_policy"),
    by_globus(
        "path length kept", "-rfc", "-path-length", "1", then=(("-rfc",),), subject=GRID_DN, roles=READER
    ),
    by_globus(
        "path length exceeded",
        "-rfc",
        "-path-length",
        "1",
        then=(("-rfc",), ("-rfc",)),
        tls="proxy path length",
    ),
    by_globus("old style", "-old", tls="invalid CA certificate"),
    by_globus("draft style", "-draft", tls="unhandled critical extension"),
    by_globus("key of 1024 bits", "-rfc", "-bits", "1024", tls="EE certificate key too weak"),
    by_voms("no attribute that grants", fqans=("/cms/uscms",), subject=GRID_DN, roles=READER),
    by_voms("verified attributes", fqans=PRODUCTION, subject=GRID_DN, roles=OPERATOR),
    by_voms("verified attributes, limited", "-limited", fqans=PRODUCTION, **LIMITED_GRID),
    by_voms(
        "of a stranger in the VO", fqans=PRODUCTION[1:], who="stranger", subject=STRANGER_DN, roles=READER
    ),
]
"""Proxies made by the grid's own tools."""

CASES = [*CERTIFICATES, *NAMES, *PROXIES, *TOOLS]
