"""Certificates for the tests: authorities, end entities and proxies of every kind, made with cryptography."""

import datetime as dt
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID
from msgspec import Struct

from rcmon.access.der.oids import INHERIT_ALL, PROXY_CERT_INFO
from rcmon.access.names.dn import Dn

INDEPENDENT = "1.3.6.1.5.5.7.21.2"
TYPES = {
    "C": NameOID.COUNTRY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "DC": NameOID.DOMAIN_COMPONENT,
    "UID": NameOID.USER_ID,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}
ANY_USE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=True,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
SIGN_USE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def name(*rdns: str | Sequence[str]) -> x509.Name:
    """Build a name from `TYPE=value`, one for each RDN; several in a list make a multi-valued one."""
    built = []
    for rdn in rdns:
        pairs = [text.partition("=") for text in ([rdn] if isinstance(rdn, str) else rdn)]
        built.append(
            x509.RelativeDistinguishedName(
                [x509.NameAttribute(TYPES[kind], value, _validate=False) for kind, _, value in pairs]
            )
        )
    return x509.Name(built)


def extend(subject: x509.Name, cn: str) -> x509.Name:
    """Append one CN to a name, as proxies do."""
    return x509.Name([*subject.rdns, *name(f"CN={cn}").rdns])


class Credential(Struct, frozen=True, eq=False):
    """A certificate with its key and the certificates above it, nearest first, without the root."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes
    above: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def pem(self) -> bytes:
        """Everything in one file, in the order of a proxy file: certificate, key, the rest of the chain."""
        return (
            self.certificate_pem + self.key_pem + b"".join(c.public_bytes(Encoding.PEM) for c in self.above)
        )

    def write(self, path: Path) -> Path:
        path.write_bytes(self.pem)
        path.chmod(0o600)
        return path


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def issue(
    subject: x509.Name,
    issuer: Credential | None,
    *,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    begins: dt.timedelta = dt.timedelta(hours=-1),
    lasts: dt.timedelta = dt.timedelta(days=30),
    above: tuple[x509.Certificate, ...] = (),
    key: CertificateIssuerPrivateKeyTypes | None = None,
    issuer_name: x509.Name | None = None,
) -> Credential:
    """Sign a certificate; without an issuer it signs itself. `begins` is from now, `lasts` from there."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    start = now() + begins
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name or (issuer.certificate.subject if issuer else subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lasts)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Credential(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key, above)


def authority(subject: x509.Name, issuer: Credential | None = None) -> Credential:
    """Make a certificate authority: a root, or one below `issuer`."""
    extensions = [(x509.BasicConstraints(ca=True, path_length=None), True), (SIGN_USE, True)]
    above = _above(issuer) if issuer else ()
    return issue(subject, issuer, extensions=extensions, lasts=dt.timedelta(days=365), above=above)


def entity(
    subject: x509.Name,
    issuer: Credential,
    *,
    eku: Sequence[x509.ObjectIdentifier] | None = (Eku.CLIENT_AUTH,),
    sans: Sequence[x509.GeneralName] = (),
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
    begins: dt.timedelta = dt.timedelta(hours=-1),
    lasts: dt.timedelta = dt.timedelta(days=30),
    key: CertificateIssuerPrivateKeyTypes | None = None,
) -> Credential:
    """Issue an end-entity certificate: a user's, a host's."""
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (ANY_USE, True),
    ]
    if eku is not None:
        extensions.append((x509.ExtendedKeyUsage(eku), False))
    if sans:
        extensions.append((x509.SubjectAlternativeName(sans), False))
    return issue(
        subject,
        issuer,
        extensions=[*extensions, *more],
        begins=begins,
        lasts=lasts,
        above=_above(issuer),
        key=key,
    )


def host(
    issuer: Credential,
    *names: x509.GeneralName,
    cn: str = "localhost",
    key: CertificateIssuerPrivateKeyTypes | None = None,
) -> Credential:
    """Issue a server's certificate, for localhost unless names are given."""
    return entity(
        name("DC=ch", "DC=cern", "OU=computers", f"CN={cn}"),
        issuer,
        eku=(Eku.SERVER_AUTH, Eku.CLIENT_AUTH),
        sans=names or (x509.DNSName("localhost"),),
        key=key,
    )


def proxy(
    issuer: Credential,
    *,
    language: str = INHERIT_ALL,
    critical: bool = True,
    policy: bytes | None = None,
    path_length: int | None = None,
    value: bytes | None = None,
    subject: x509.Name | None = None,
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
    begins: dt.timedelta = dt.timedelta(minutes=-5),
    lasts: dt.timedelta = dt.timedelta(hours=12),
) -> Credential:
    """Sign an RFC 3820 proxy; `value` replaces the whole proxyCertInfo."""
    info = proxy_cert_info(language, policy, path_length) if value is None else value
    serial = str(x509.random_serial_number() % 10**9)
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(PROXY_CERT_INFO), info)
    return issue(
        subject or extend(issuer.certificate.subject, serial),
        issuer,
        extensions=[(extension, critical), (ANY_USE, True), *more],
        begins=begins,
        lasts=lasts,
        above=(issuer.certificate, *issuer.above),
    )


def proxy_cert_info(language: str, policy: bytes | None = None, path_length: int | None = None) -> bytes:
    """Write the extension's DER."""
    inner = oid_der(language) + (b"" if policy is None else tlv(0x04, policy))
    before = b"" if path_length is None else tlv(0x02, bytes([path_length]))
    return tlv(0x30, before + tlv(0x30, inner))


def oid_der(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    content = b""
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.insert(0, arc & 0x7F | 0x80)
        content += bytes(groups)
    return tlv(0x06, content)


def tlv(tag: int, content: bytes) -> bytes:
    """Write one DER element of at most 255 octets."""
    length = bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)])
    return bytes([tag]) + length + content


def _above(issuer: Credential) -> tuple[x509.Certificate, ...]:
    """List what a client sends above a certificate: the intermediates, without the root."""
    is_root = issuer.certificate.subject == issuer.certificate.issuer
    return () if is_root else (issuer.certificate, *issuer.above)


def subject_hash(certificate: x509.Certificate) -> str:
    """Ask OpenSSL for the hash that names a CA's files in a hashed directory."""
    command = ["openssl", "x509", "-noout", "-subject_hash"]
    pem = certificate.public_bytes(Encoding.PEM)
    return subprocess.run(command, input=pem, stdout=subprocess.PIPE, check=True).stdout.decode().strip()


def add_to_directory(directory: Path, authority: Credential, *, allowed: str | None = None) -> Path:
    """Put a CA into a hashed directory; with `allowed`, a signing policy for subjects of that pattern."""
    directory.mkdir(exist_ok=True)
    path = directory / f"{subject_hash(authority.certificate)}.0"
    path.write_bytes(authority.certificate_pem)
    if allowed is not None:
        subject = Dn.from_der(authority.certificate.subject.public_bytes())
        lines = [
            f"access_id_CA X509 '{subject}'",
            "pos_rights globus CA:sign",
            f"cond_subjects globus '\"{allowed}\"'",
        ]
        path.with_suffix(".signing_policy").write_text("\n".join(lines) + "\n")
    return path
