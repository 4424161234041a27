"""Proxies as users make them, with Globus' grid-proxy-init."""

import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.access.pki import Credential
from tests.servers import need


def grid_proxy_init(directory: Path, user: Credential | Path, *options: str) -> Path:
    """Make a proxy of a user, or of a proxy file; returns the proxy file."""
    made = directory / f"x509up_{len(list(directory.iterdir()))}"
    if isinstance(user, Path):
        certificate, key = user, user
    else:
        certificate = _write(directory / "usercert.pem", user.certificate_pem)
        form = PrivateFormat.TraditionalOpenSSL
        key = _write(directory / "userkey.pem", user.key.private_bytes(Encoding.PEM, form, NoEncryption()))
    command = [need("grid-proxy-init"), "-q", "-cert", certificate, "-key", key, "-out", made, *options]
    environment = {"HOME": str(directory), "PATH": "/usr/bin:/bin", "X509_CERT_DIR": str(directory)}
    subprocess.run(command, check=True, capture_output=True, timeout=300, env=environment)
    return made


def _write(path: Path, content: bytes) -> Path:
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    path.chmod(0o400)
    return path
