"""Proxies with VOMS attributes, made by VOMS' own voms-proxy-fake; and the site that trusts the server."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rcmon.access.chain import Chain, read_link
from tests.access import pki
from tests.access.pki import Credential
from tests.servers import need

VO = "cms"
HOST = "voms.example.org"


def rsa_entity(subject: x509.Name, issuer: Credential) -> Credential:
    """Issue an end-entity certificate as voms-proxy-fake needs it: an RSA key, and its identifier."""
    key = rsa.generate_private_key(65537, 2048)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return pki.entity(subject, issuer, key=key, more=[(identifier, False)])


def rsa_authority(subject: x509.Name, issuer: Credential | None = None) -> Credential:
    """Make a CA with an RSA key, as nearly all of the grid's are."""
    key = rsa.generate_private_key(65537, 2048)
    extensions = [(x509.BasicConstraints(ca=True, path_length=None), True), (pki.SIGN_USE, True)]
    return pki.issue(subject, issuer, key=key, extensions=extensions)


class FakeServer:
    """A VOMS server that voms-proxy-fake plays, a user, and a site that trusts both."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ca = rsa_authority(pki.name("DC=ch", "DC=cern", "CN=CA"))
        self.alice = rsa_entity(pki.name("DC=ch", "DC=cern", "OU=Users", "CN=alice"), self.ca)
        self.server = rsa_entity(pki.name("DC=ch", "DC=cern", "OU=computers", f"CN={HOST}"), self.ca)
        self.cas = path / "certificates"
        self.cas.mkdir()
        self.vomsdir = path / "vomsdir"
        self.trust(self.ca)
        self.describe(self.server.certificate)

    def trust(self, ca: Credential) -> None:
        pem = ca.write(self.path / "ca.pem")
        command = ["openssl", "x509", "-noout", "-subject_hash", "-in", pem]
        hashed = subprocess.run(command, check=True, capture_output=True).stdout.decode().strip()
        (self.cas / f"{hashed}.0").write_bytes(ca.certificate_pem)

    def describe(self, *certificates: x509.Certificate, vo: str = VO, host: str = HOST) -> Path:
        """Write the server's .lsc file."""
        links = [read_link(certificate.public_bytes(Encoding.DER)) for certificate in certificates]
        file = self.vomsdir / vo / f"{host}.lsc"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{link.subject}\n{link.issuer}\n" for link in links))
        return file

    def proxy(
        self,
        *options: str,
        fqans: Sequence[str] = ("/cms/Role=production/Capability=NULL", "/cms/Role=NULL/Capability=NULL"),
        user: Credential | None = None,
        server: Credential | None = None,
        uri: str = f"{HOST}:15002",
        vo: str = VO,
    ) -> Path:
        """Let voms-proxy-fake make a proxy; the file has the form of every proxy file."""
        user, server = user or self.alice, server or self.server
        made = self.path / "x509up"
        made.unlink(missing_ok=True)
        command = [
            *(need("voms-proxy-fake"), "-q", "-rfc", "-hours", "10", "-voms", vo, "-uri", uri),
            *("-cert", self._write("user.pem", user.certificate_pem), "-key", self._key("user.key", user)),
            *("-hostcert", self._write("host.pem", server.certificate_pem)),
            *("-hostkey", self._key("host.key", server)),
            *("-certdir", str(self.cas), "-out", str(made)),
            *(word for fqan in fqans for word in ("-fqan", fqan)),
            *options,
        ]
        environment = {"HOME": str(self.path), "PATH": "/usr/bin:/bin"}
        subprocess.run(command, check=True, capture_output=True, timeout=300, env=environment)
        return made

    def _write(self, name: str, content: bytes) -> str:
        path = self.path / name
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(0o400)
        return str(path)

    def _key(self, name: str, credential: Credential) -> str:
        form = PrivateFormat.TraditionalOpenSSL
        return self._write(name, credential.key.private_bytes(Encoding.PEM, form, NoEncryption()))

    def chain(self, proxy: Path) -> Chain:
        """Read a proxy file's chain as OpenSSL would hand it over: leaf first, root last."""
        certificates = [*x509.load_pem_x509_certificates(proxy.read_bytes()), self.ca.certificate]
        return tuple(read_link(each.public_bytes(Encoding.DER)) for each in certificates)
