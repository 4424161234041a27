"""Certificates of the personas, and the files of a service that knows them."""

import atexit
import contextlib
import shutil
import ssl
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from cryptography import x509

from rcmon.access.handshake.credential import Credential
from rcmon.access.handshake.rehearsal import client_context
from rcmon.access.names.dn import Dn
from rcmon.access.roles import RoleTable
from rcmon.access.trust import TrustFiles
from tests.access import pki
from tests.access.place import use

PERSONAS = ("reader", "agent", "operator", "admin", "stranger")
"""Each holds the role it is named after; the stranger holds none."""
ROOT = pki.authority(pki.name("DC=ch", "CN=Root"))
HOST = pki.host(ROOT)


def _persona(name: str) -> pki.Credential:
    mail = x509.RFC822Name(f"{name}@example.org")
    return pki.entity(pki.name("DC=ch", f"CN={name}"), ROOT, sans=[mail])


CREDENTIALS: Mapping[str, pki.Credential] = {name: _persona(name) for name in PERSONAS}
READER, STRANGER = CREDENTIALS["reader"], CREDENTIALS["stranger"]


def subject(credential: pki.Credential) -> Dn:
    return Dn.from_der(credential.certificate.subject.public_bytes())


def roles_of(*readers: pki.Credential) -> RoleTable:
    """Write a table of readers."""
    return RoleTable.parse(f"[roles]\nreader = {[f'dn:{subject(reader)}' for reader in readers]!r}")


class Files:
    """The files of a service, and of each persona one with certificate and key."""

    def __init__(self, directory: Path) -> None:
        self.ca_file = directory / "ca.crt"
        self.ca_file.write_bytes(ROOT.certificate_pem)
        self.personas = {
            name: credential.write(directory / f"{name}.pem") for name, credential in CREDENTIALS.items()
        }
        self.trust = TrustFiles(
            certificate=directory / "host.crt",
            key=directory / "host.key",
            authorities=self.ca_file,
            roles=directory / "roles.toml",
        )
        use(self.trust, HOST)
        granted = [
            f"{name} = [{{subject = 'dn:{subject(credential)}', agents = ['vocms0281']}}]"
            if name == "agent"
            else f"{name} = ['dn:{subject(credential)}']"
            for name, credential in CREDENTIALS.items()
            if name != "stranger"
        ]
        self.trust.roles.write_text("\n".join(["[roles]", *granted, ""]))


@cache
def files() -> Files:
    """Write the files, once for all tests of a process."""
    directory = Path(tempfile.mkdtemp(prefix="rcmon-web-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Files(directory)


@cache
def client(credential: pki.Credential | None = READER, *versions: ssl.TLSVersion) -> ssl.SSLContext:
    """Make the TLS context of a client that takes any server."""
    sent = credential and Credential((credential.certificate, *credential.above), credential.key)  # type: ignore[arg-type]
    context = client_context(sent)
    if versions:
        context.minimum_version = context.maximum_version = versions[0]
    return context


@cache
def careful(persona: str) -> ssl.SSLContext:
    """Make the TLS context of a persona that looks at the server's certificate, as every program does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(files().ca_file)
    context.load_cert_chain(files().personas[persona])
    return context


def client_hello() -> bytes:
    """Write what a client says first."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        client().wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    return outgoing.read()
