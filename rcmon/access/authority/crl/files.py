"""Files of revocation lists: PEM with one list or many, or DER with one."""

import binascii
import contextlib
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from rcmon.access.authority.crl.parse import CrlError, Find, NotYetValidError, Pause, RevocationList, read_crl
from rcmon.files.reading import FileError, read_bounded
from rcmon.files.stamp import UNSEEN, Stamp

MAX_FILE = 256 * 1024 * 1024
"""Octets: five million entries."""
DER_FIRST = b"\x30"
PEM_BEGIN = b"-----BEGIN X509 CRL-----"
PEM_END = b"-----END X509 CRL-----"
BASE64_CHUNK = 64 * 1024
"""Characters decoded between pauses: a third of a millisecond."""
WHITESPACE = b" \t\r\n"


class CrlFile(Struct, frozen=True):
    """What is in use of one file."""

    stamp: Stamp
    generation: int
    """Of the authorities that the lists were verified with."""
    lists: tuple[RevocationList, ...]
    errors: tuple[str, ...] = ()
    """What was wrong with the newest content; the lists may then be of an earlier one."""
    retry: bool = False
    """Whether the same content may be good later."""

    def is_current(self, stamp: Stamp, generation: int) -> bool:
        """Whether reading the file again would give nothing else."""
        return self.stamp == stamp and self.generation == generation and not self.retry


def read_crl_file(path: Path, find: Find, now: float, pause: Pause) -> CrlFile:
    """Read a file's lists, as if there had been no earlier content; errors stand in the result.

    `stamp` and `generation` are the caller's to fill in.
    """
    try:
        content = read_bounded(path, MAX_FILE)
    except FileError as error:
        return CrlFile(UNSEEN, 0, (), (str(error),), retry=True)
    lists: list[RevocationList] = []
    errors: list[str] = []
    retry = False
    for der in _blocks(content, pause):
        try:
            lists.append(read_crl(der, find, now, pause))
        except CrlError as error:
            errors.append(f"{path}: {error}")
            retry = retry or isinstance(error, NotYetValidError)
    if content.count(PEM_BEGIN) > len(lists) + len(errors):
        errors.append(f"{path} holds a list in PEM form that is not whole")
    if not lists and not errors:
        errors.append(f"{path} holds no revocation list, neither in PEM ('X509 CRL') nor in DER form")
    return CrlFile(UNSEEN, 0, tuple(lists), tuple(errors), retry)


def merge(path: Path, earlier: CrlFile, new: CrlFile) -> CrlFile:
    """Decide what of a file's earlier lists stays in use beside its new ones.

    A list that is older than the one in use of the same CA is refused: it would bring back certificates that
    were revoked since. Where the new content has errors, lists that it has no good successor for stay.
    """
    lists = {(each.issuer, each.public_key): each for each in new.lists}
    errors = list(new.errors)
    for old in earlier.lists:
        key = (old.issuer, old.public_key)
        successor = lists.get(key)
        if successor is None and new.errors:
            lists[key] = old
        elif successor is not None and successor.this_update < old.this_update:
            lists[key] = old
            errors.append(f"{path}: the new list of {old.issuer} is older than the one in use (thisUpdate)")
    return CrlFile(new.stamp, new.generation, tuple(lists.values()), tuple(errors), new.retry)


def _blocks(content: bytes, pause: Pause) -> Iterator[bytes]:
    """Give the DER of each list that is whole."""
    if content.startswith(DER_FIRST):
        yield content
        return
    at = content.find(PEM_BEGIN)
    while at >= 0 and (end := content.find(PEM_END, at)) >= 0:
        with contextlib.suppress(binascii.Error):
            yield _decode(content[at + len(PEM_BEGIN) : end], pause)
        at = content.find(PEM_BEGIN, end)


def _decode(text: bytes, pause: Pause) -> bytes:
    """Decode base64 in chunks, each completed to groups of four with the next characters."""
    parts = []
    rest = b""
    for at in range(0, len(text), BASE64_CHUNK):
        characters = rest + text[at : at + BASE64_CHUNK].translate(None, WHITESPACE)
        whole = len(characters) & ~3
        parts.append(binascii.a2b_base64(characters[:whole], strict_mode=True))
        rest = characters[whole:]
        pause()
    parts.append(binascii.a2b_base64(rest, strict_mode=True))
    return b"".join(parts)
