"""TLS on the loopback address, by a certificate of the bridge's own making that never leaves its memory.

An agent's client does not look who signed it, only whether it is for the name in its URL.
"""

import datetime as dt
import ipaddress
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = 30 * 86_400.0
"""Seconds; half of it is left when another certificate takes its place."""
_SKEW = 86_400.0


class LoopbackTLS:
    """A server's context whose certificate is always of now; `host` is where it listens."""

    def __init__(self, host: str, now: float) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._host = host
        self._made = now
        self._make(now)

    def renew(self, now: float) -> bool:
        """Take another certificate where half of its time has gone, or the clock was set; tells whether.

        `now` in seconds since the epoch. Connections that are open keep theirs.
        """
        if -_SKEW / 2 < now - self._made < LIFETIME / 2:
            return False
        self._make(now)
        return True

    def _make(self, now: float) -> None:
        content = _self_signed(self._host, dt.datetime.fromtimestamp(now, dt.UTC))
        # Python's ssl takes a path alone; this one is of a file that is on no disk
        with os.fdopen(os.memfd_create("rcmon-bridge"), "wb") as file:
            file.write(content)
            file.flush()
            self.context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
        self._made = now


def _self_signed(host: str, now: dt.datetime) -> bytes:
    """Make a certificate for this machine's loopback names, with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    addresses = dict.fromkeys(map(ipaddress.ip_address, (host, "127.0.0.1", "::1")))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), *map(x509.IPAddress, addresses)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(seconds=_SKEW))
        .not_valid_after(now + dt.timedelta(seconds=LIFETIME))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM) + key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
