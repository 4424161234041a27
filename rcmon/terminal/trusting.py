"""The TLS context of a client: whom it believes, and who it says it is."""

import ssl
import sys
from pathlib import Path

import click
from msgspec import Struct

from rcmon.terminal.credentials import Found, Surroundings
from rcmon.terminal.failure import CONFIG, FORBIDDEN, TerminalError

GRID = Path("/etc/grid-security/certificates")
"""Where the grid's CAs lie on its machines."""
_PHRASE_TRIED = 3


class Believed(Struct, frozen=True):
    """Who vouches for the service."""

    path: Path | None
    """File of certificates, or hashed directory; None: those that the system trusts."""
    origin: str


def authorities(given: str | None, where: Surroundings, grid: Path = GRID) -> Believed:
    """Find the CAs: what is named, the grid's, or the system's."""
    if given is not None:
        return Believed(Path(given), "--ca")
    if directory := where.environment.get("X509_CERT_DIR"):
        return Believed(Path(directory), "X509_CERT_DIR")
    return Believed(grid if grid.is_dir() else None, "the usual place")


def context(found: Found, trusted: Believed, *, ask: bool = True) -> ssl.SSLContext:
    """Make the context; `ask`: for the key's pass phrase. Raises TerminalError."""
    made = _believing(trusted)
    for _ in range(_PHRASE_TRIED):
        try:
            made.load_cert_chain(found.certificate, found.key, password=lambda: _phrase(found.key, ask=ask))
        except (OSError, ValueError) as error:
            if isinstance(error, ssl.SSLError) and "DECRYPT" in (error.reason or "").upper():
                continue
            reason = (error.reason if isinstance(error, ssl.SSLError) else None) or error
            raise TerminalError(
                f"{found.certificate} and {found.key} cannot be used as certificate and key: {reason}", CONFIG
            ) from error
        return made
    raise TerminalError(f"the pass phrase does not open {found.key}", FORBIDDEN)


def _believing(trusted: Believed) -> ssl.SSLContext:
    path = trusted.path
    if path is None:
        return ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    try:
        if path.is_dir():
            return ssl.create_default_context(ssl.Purpose.SERVER_AUTH, capath=str(path))
        return ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(path))
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise TerminalError(
            f"the CAs in {path} ({trusted.origin}) cannot be used: {reason}", CONFIG
        ) from error


def _phrase(key: Path, *, ask: bool) -> str:
    """Ask for a key's pass phrase, where somebody can be asked."""
    if not (ask and sys.stdin.isatty()):
        raise TerminalError(
            f"{key} is encrypted, and nobody can be asked for its pass phrase here: make a proxy"
            " (voms-proxy-init)",
            FORBIDDEN,
        )
    said: str = click.prompt(f"Pass phrase of {key}", hide_input=True, err=True)
    return said
