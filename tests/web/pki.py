"""Certificates of the personas, from a CA made for the tests."""

import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from rcmon.access.names.dn import Dn
from rcmon.access.roles import RoleTable

PERSONAS = ("reader", "agent", "operator", "admin", "stranger")
"""Each holds the role it is named after; the stranger holds none."""


class Pki:
    """A CA, a server certificate, and a client certificate with key in one file for each persona."""

    def __init__(self, directory: Path) -> None:
        self.ca = trustme.CA()
        self.ca_file = directory / "ca.crt"
        self.ca.cert_pem.write_to_path(str(self.ca_file))
        self.files = {persona: directory / f"{persona}.pem" for persona in PERSONAS}
        self.subjects: dict[str, Dn] = {}
        self.chains: dict[str, list[bytes]] = {}
        root = x509.load_pem_x509_certificate(self.ca.cert_pem.bytes()).public_bytes(Encoding.DER)
        for persona, path in self.files.items():
            issued = self.ca.issue_cert(f"{persona}@example.org", common_name=persona)
            path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
            certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
            self.chains[persona] = [certificate.public_bytes(Encoding.DER), root]
            self.subjects[persona] = Dn.from_der(certificate.subject.public_bytes())

        self.server_context = self._server()
        self.clients = {persona: self._client(persona) for persona in PERSONAS}

    def _server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        self.ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _client(self, persona: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ca.configure_trust(context)
        context.load_cert_chain(self.files[persona])
        return context

    def roles(self) -> RoleTable:
        lines = [
            f"{persona} = ['dn:{self.subjects[persona]}']" for persona in PERSONAS if persona != "stranger"
        ]
        return RoleTable.parse("\n".join(["[roles]", *lines]))
