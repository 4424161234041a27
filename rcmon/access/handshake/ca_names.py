"""The names of the CAs in the server's request for a certificate, by which browsers preselect one.

Python's ssl has no call for them, so OpenSSL's is called, of the very library that Python's ssl uses. Without
the names every client may still send its certificate: what cannot be done here is told and passed over.
"""

import ctypes
import logging
import ssl
import sys
from collections.abc import Iterable
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

LOG = logging.getLogger(__name__)

AUTO_OCTETS = 4 * 1024
"""Up to so many the names are sent by themselves: some fifty CAs. Each handshake carries them."""
MAX_OCTETS = 30 * 1024
"""More are never sent: Java ends at 32 KB of a message, Go and the list's own length at 64 KB."""
_KNOWN = ((3, 11), (3, 12), (3, 13), (3, 14))
"""Versions of CPython whose SSLContext begins with OpenSSL's own, right after the head of every object."""
_UNKNOWN_PYTHON = "not known how in this Python"


class CaNames(StrEnum):
    """Whether the names are sent."""

    AUTO = "auto"
    """Where they are short: see AUTO_OCTETS."""
    YES = "yes"
    NO = "no"


def name_authorities(context: ssl.SSLContext, authorities: Iterable[x509.Certificate], mode: CaNames) -> None:
    """Let a context that serves nobody yet name these CAs. Where it cannot, one line of the log says so."""
    if mode is CaNames.NO:
        return
    by_name = {authority.subject.public_bytes(): authority for authority in authorities}
    octets = sum(len(name) + 2 for name in by_name)  # two for each name's length
    if octets > (MAX_OCTETS if mode is CaNames.YES else AUTO_OCTETS):
        # with `auto` this is the option's meaning and no news
        level = logging.WARNING if mode is CaNames.YES else logging.DEBUG
        LOG.log(level, "clients are not told the names of the CAs: %d octets are too many", octets)
        return
    if trouble := _add(context, list(by_name.values())):
        LOG.warning("clients are not told the names of the CAs: %s", trouble)


def _add(context: ssl.SSLContext, authorities: list[x509.Certificate]) -> str | None:
    """Add the names; return why that failed, None: they are there."""
    if sys.implementation.name != "cpython" or sys.version_info[:2] not in _KNOWN:
        return _UNKNOWN_PYTHON
    try:
        library = _openssl()
        # the size of a bare object is that of the head, in builds that count or lock otherwise, too
        inner = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
    except (KeyError, OSError, AttributeError) as error:
        return f"{_UNKNOWN_PYTHON}: {error}"
    try:
        for authority in authorities:
            _add_one(library, inner, authority.public_bytes(Encoding.DER))
        _check_count(library, inner, len(authorities))
    except ValueError as error:
        # none rather than some: there are clients that send nothing where their CA is not named
        library.SSL_CTX_set_client_CA_list(inner, None)
        return str(error)
    return None


def _add_one(library: ctypes.CDLL, inner: ctypes.c_void_p, der: bytes) -> None:
    start = ctypes.c_char_p(der)
    certificate = library.d2i_X509(None, ctypes.byref(start), len(der))
    if not certificate:
        raise ValueError("OpenSSL does not take a CA's certificate")
    try:
        if not library.SSL_CTX_add_client_CA(inner, certificate):
            raise ValueError("OpenSSL does not take a CA's name")
    finally:
        library.X509_free(certificate)


def _check_count(library: ctypes.CDLL, inner: ctypes.c_void_p, expected: int) -> None:
    held = library.OPENSSL_sk_num(library.SSL_CTX_get_client_CA_list(inner))
    if held != expected:
        raise ValueError(f"OpenSSL holds {held} of {expected}")


def _openssl() -> ctypes.CDLL:
    """Open the library that Python's ssl is linked with: its functions are found by way of the module's file.

    Raises KeyError, OSError, and AttributeError where a function is not to be had.
    """
    # where the module is built into the program, the program itself is asked
    library = ctypes.CDLL(getattr(sys.modules["_ssl"], "__file__", None))
    pointer = ctypes.c_void_p
    library.d2i_X509.argtypes = [pointer, pointer, ctypes.c_long]
    library.d2i_X509.restype = pointer
    library.X509_free.argtypes = [pointer]
    library.X509_free.restype = None
    library.SSL_CTX_add_client_CA.argtypes = [pointer, pointer]
    library.SSL_CTX_set_client_CA_list.argtypes = [pointer, pointer]
    library.SSL_CTX_set_client_CA_list.restype = None
    library.SSL_CTX_get_client_CA_list.argtypes = [pointer]
    library.SSL_CTX_get_client_CA_list.restype = pointer
    library.OPENSSL_sk_num.argtypes = [pointer]
    return library
