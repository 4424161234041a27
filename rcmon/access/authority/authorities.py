"""The CAs that are trusted, and the files that lie beside them in a hashed directory.

`--tls-ca` is one PEM file, or a directory as OpenSSL and the grid keep it: `HASH.0` (CA certificate),
`HASH.r0` (revocation list), `HASH.signing_policy` (namespace), HASH being the hash of the CA's subject.
OpenSSL verifies the chain; here the same certificates are read to verify what OpenSSL does not.
"""

import os
import re
import stat
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from operator import itemgetter
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

from rcmon.access.chain import ChainLink, read_link
from rcmon.access.der.pem import PemError, load_certificates
from rcmon.access.names.dn import Dn
from rcmon.errors import IdentityError
from rcmon.files.follower import FileSet
from rcmon.files.reading import FileError, read_bounded
from rcmon.files.reloads import Reloads
from rcmon.files.stamp import NOWHERE, Stamp, stamp_of

MAX_CA_FILE = 8 * 1024 * 1024
"""Octets; a bundle of all the world's CAs has 1 MB."""
NO_CA = "holds no file named HASH.0; do: openssl rehash {path}"
HASHED_NAME = re.compile(r"(?P<hash>[0-9a-f]{8})\.(?:(?P<ca>\d{1,3})|(?P<crl>r\d{1,3})|signing_policy)")


class HashedFile(Struct, frozen=True):
    """A file beside the CAs: `hash` is the eight digits that its name begins with."""

    path: Path
    hash: str
    stamp: Stamp


class Trusted(Struct, frozen=True):
    """What one look at the CA file or directory gave. All but `by_subject` and `errors` is a directory's."""

    by_subject: Mapping[Dn, tuple[ChainLink, ...]] = {}
    by_hash: Mapping[str, tuple[ChainLink, ...]] = {}
    crls: tuple[HashedFile, ...] = ()
    policies: tuple[HashedFile, ...] = ()
    errors: Mapping[Path, str] = {}
    """Files that could not be used, and why; where an earlier reading of one was good, that stays in use."""


class Authorities:
    """The trusted CAs, read again when their files change.

    `generation` grows whenever the CAs change, not with the files beside them. `refresh` belongs to one
    thread at a time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.generation = 0
        self.trusted = Trusted()
        self.reloads = Reloads("authorities")
        self._files = FileSet(read_authorities)

    def refresh(self, *, again: bool = False) -> bool | None:
        """Look at the files and read those that changed; see `Reloads.tell`.

        Never raises: errors stand in `trusted.errors`.
        """
        before, self.trusted = self.trusted, self._look()
        trusted = self.trusted
        news = _octets(trusted) != _octets(before)
        if news:
            self.generation += 1
        return self.reloads.tell(sorted(trusted.errors.values()), news=news, again=again)

    def in_use(self) -> Hashable:
        """Give something that is equal where the CAs are the same."""
        return _octets(self.trusted)

    def _look(self) -> Trusted:
        """Read anew. Where no CA is left all stays as it was, lists and policies with it.

        A directory that is not mounted for a moment is empty; without its lists revoked users would pass.
        """
        try:
            is_directory = stat.S_ISDIR(self.path.stat().st_mode)
            trusted = self._directory() if is_directory else self._file()
        except OSError as error:
            return _with_error(self.trusted, self.path, f"{self.path}: {error.strerror}")
        if trusted.by_subject or not self.trusted.by_subject:
            return trusted
        problem = min(trusted.errors.values(), default=f"{self.path} {NO_CA.format(path=self.path)}")
        return _with_error(self.trusted, self.path, problem)

    def _file(self) -> Trusted:
        self._files.refresh({self.path: stamp_of(self.path)})
        return Trusted(by_subject=_by_subject(self._authorities()), errors=self._files.errors())

    def _directory(self) -> Trusted:
        files = list_hashed(self.path)
        self._files.refresh({file.path: file.stamp for file in files["ca"]})
        by_hash: dict[str, tuple[ChainLink, ...]] = defaultdict(tuple)
        for file in files["ca"]:
            by_hash[file.hash] += self._files.loaded[file.path].value or ()
        return Trusted(
            by_subject=_by_subject(self._authorities()),
            by_hash=dict(by_hash),
            crls=tuple(files["crl"]),
            policies=tuple(files["policy"]),
            errors=self._files.errors(),
        )

    def _authorities(self) -> Iterable[ChainLink]:
        return (authority for found in self._files.values().values() for authority in found)


def list_hashed(directory: Path) -> dict[str, list[HashedFile]]:
    """List a hashed directory's files by kind (ca, crl, policy), sorted by name. Raises OSError.

    A link to nowhere is passed over, as OpenSSL does.
    """
    files: dict[str, list[HashedFile]] = {"ca": [], "crl": [], "policy": []}
    with os.scandir(directory) as entries:  # a third of the time that Path.iterdir takes, every few seconds
        names = [name for entry in entries if (name := HASHED_NAME.fullmatch(entry.name))]
    for name in sorted(names, key=itemgetter(0)):
        path = directory / name[0]
        kind = "ca" if name["ca"] else "crl" if name["crl"] else "policy"
        stamp = stamp_of(path)
        if stamp != NOWHERE:
            files[kind].append(HashedFile(path, name["hash"], stamp))
    return files


def read_authorities(path: Path) -> tuple[ChainLink, ...]:
    """Read the certificates of a PEM file. Raises RcmonError that names the file."""
    content = read_bounded(path, MAX_CA_FILE)
    try:
        certificates = load_certificates(content)
    except PemError as error:
        raise FileError(f"{path} {error}") from error
    return tuple(_authority(path, certificate) for certificate in certificates)


def _authority(path: Path, certificate: x509.Certificate) -> ChainLink:
    try:
        return read_link(certificate.public_bytes(Encoding.DER))
    except IdentityError as error:
        raise FileError(f"{path} holds a certificate that cannot be read: {error}") from error


def _by_subject(authorities: Iterable[ChainLink]) -> dict[Dn, tuple[ChainLink, ...]]:
    """Sort CAs by subject; one that is there under several file names counts once."""
    found: dict[Dn, dict[bytes, ChainLink]] = defaultdict(dict)
    for authority in authorities:
        found[authority.subject][authority.der] = authority
    return {subject: tuple(same.values()) for subject, same in found.items()}


def _octets(trusted: Trusted) -> frozenset[bytes]:
    """Tell one set of CAs from another; a file that was read again gives the same ones."""
    return frozenset(link.der for links in trusted.by_subject.values() for link in links)


def _with_error(trusted: Trusted, path: Path, error: str) -> Trusted:
    return Trusted(
        trusted.by_subject, trusted.by_hash, trusted.crls, trusted.policies, {**trusted.errors, path: error}
    )
