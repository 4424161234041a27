"""Reading small files: whole, within bounds, with the right permissions, as text, as TOML."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct

from rcmon.errors import ConfigError

_LONGEST_PASSWORD = 64 * 1024
"""Octets; a token may be long."""
_BOM = "\ufeff"


class FileError(ConfigError):
    """A file that cannot be used; the message begins with its path."""


class Rights(Struct, frozen=True):
    """What nobody else may do with a file."""

    forbidden: int = 0
    """Bits of its mode."""
    complaint: str = ""
    remedy: str = ""
    """The command that puts it right, without the path."""
    owned: bool = False
    """Whether it must belong to root, or to whoever reads it."""


ANY = Rights()
SECRET = Rights(stat.S_IWGRP | stat.S_IRWXO, "others may read it or its group may write it", "chmod 600")
OURS = Rights(SECRET.forbidden, SECRET.complaint, SECRET.remedy, owned=True)
OWN = Rights(stat.S_IWGRP | stat.S_IWOTH, "others than its owner may write it", "chmod go-w")


def read_bounded(path: Path, limit: int, rights: Rights = ANY) -> bytes:
    """Read a regular file of at most `limit` octets. Raises FileError.

    Never waits: a pipe in a file's place would hold the reader for ever.
    """
    return read_dated(path, limit, rights)[0]


def read_dated(path: Path, limit: int, rights: Rights = ANY) -> tuple[bytes, float]:
    """Read as `read_bounded` does; gives also when this very content was written, seconds since the epoch."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            mode = status.st_mode
            if stat.S_ISREG(mode):
                content = file.read(limit + 1)
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise FileError(f"{str(path)!r}: is no path: {error}") from error
    if not stat.S_ISREG(mode):
        raise FileError(f"{path}: is no regular file")
    if mode & rights.forbidden:
        raise FileError(
            f"{path}: {rights.complaint} (mode {stat.S_IMODE(mode):04o}); do: {rights.remedy} {path}"
        )
    if rights.owned and status.st_uid not in {0, os.geteuid()}:
        raise FileError(f"{path}: belongs to user {status.st_uid}; right is root or user {os.geteuid()}")
    if len(content) > limit:
        raise FileError(f"{path}: is larger than {limit} octets")
    return content, status.st_mtime


def read_text(path: Path, limit: int, rights: Rights = ANY) -> str:
    """Read a text file in UTF-8; the mark that Windows editors put before it (BOM) is left out.

    Raises FileError.
    """
    content = read_bounded(path, limit, rights)
    try:
        return content.decode().removeprefix(_BOM)
    except UnicodeDecodeError as error:
        octet = error.object[error.start]
        raise FileError(f"{path}: is not UTF-8: octet 0x{octet:02x} at {error.start}") from error


def read_password(path: Path) -> str:
    """Read a password that stands in a file of its own; the end of its line is not part of it.

    Raises FileError, also for a pipe or whatever else would be waited for.
    """
    return read_text(path, _LONGEST_PASSWORD).rstrip("\r\n")


def parse_toml(text: str) -> dict[str, Any]:
    """Read TOML. Raises ConfigError whatever is wrong with it; tomllib knows two more ways to fail."""
    try:
        return tomllib.loads(text.removeprefix(_BOM))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}") from error
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"is TOML that nobody writes: {error}") from error
