"""Who this node is towards rcmon: its host certificate or proxy, followed as it is renewed."""

import ssl
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from rcmon.bridge.doubt import DoubtError
from rcmon.errors import ConfigError
from rcmon.files.follower import Follower
from rcmon.files.reading import SECRET, FileError, read_bounded
from rcmon.files.stamp import stamp_of

_LARGEST = 1024 * 1024


class NodeFiles(Struct, frozen=True):
    """Where certificate, key and the CAs of rcmon's own certificate lie."""

    cert: Path
    key: Path
    ca: Path


class Node(Struct, frozen=True, eq=False):
    """The files as they were last good."""

    context: ssl.SSLContext
    subject: str
    not_after: float
    """When the certificate ends, seconds since the epoch."""

    def check(self, now: float) -> None:
        """Raise DoubtError where the certificate has ended: rcmon would not say why it lets nobody in."""
        if now >= self.not_after:
            ago = (now - self.not_after) / 3600
            raise DoubtError("expired", f"the certificate {self.subject} ended {ago:.1f} h ago")


def load_node(files: NodeFiles) -> Node:
    """Read the files. Raises ConfigError."""
    certificate = _first(files.cert)
    try:
        subject, not_after = certificate.subject.rfc4514_string(), certificate.not_valid_after_utc.timestamp()
    except ValueError as error:  # cryptography reads a certificate's parts when they are first asked for
        raise ConfigError(f"--cert {files.cert}: its subject cannot be read: {error}") from error
    try:
        read_bounded(files.key, _LARGEST, SECRET)
    except FileError as error:
        raise ConfigError(f"--key {error}") from error
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # grid CAs are older than X509_STRICT's demands
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if files.ca.is_dir():
            context.load_verify_locations(capath=files.ca)
        else:
            context.load_verify_locations(cafile=files.ca)
    except OSError as error:
        raise ConfigError(f"--ca {files.ca}: no certificate can be read from it: {_why(error)}") from error
    try:
        # an encrypted key would be asked for at the terminal, and waited for
        context.load_cert_chain(files.cert, files.key, password=lambda: "")
    except OSError as error:
        raise ConfigError(
            f"--cert {files.cert} and --key {files.key} do not go together: {_why(error)}"
        ) from error
    return Node(context, subject, not_after)


def follow_node(files: NodeFiles) -> Follower[Node]:
    """Follow the files: a broken new one is refused, and what was good stays. Raises ConfigError."""
    return Follower(
        "the node's certificate",
        lambda: tuple(map(stamp_of, (files.cert, files.key, files.ca))),
        lambda _: load_node(files),
    )


def _first(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(read_bounded(path, _LARGEST))[0]
    except FileError as error:
        raise ConfigError(f"--cert {error}") from error
    except ValueError as error:
        raise ConfigError(f"--cert {path}: holds no certificate in PEM form") from error


def _why(error: OSError) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or str(error)
