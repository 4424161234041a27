"""Why a TLS connection did not come to be: one of a fixed set of reasons, and OpenSSL's words for people."""

import errno
import ssl

_VERIFY = {
    # X509_V_ERR_*, from openssl/x509_vfy.h of OpenSSL 3
    2: "unknown_ca",  # issuer certificate not found
    9: "not_yet_valid",
    10: "expired",
    18: "unknown_ca",  # self-signed certificate
    19: "unknown_ca",  # self-signed certificate in the chain
    20: "unknown_ca",  # issuer not found locally
    21: "unknown_ca",  # leaf signature cannot be verified
    23: "revoked",
    26: "wrong_purpose",
    38: "proxy_refused",  # proxy path length exceeded
    40: "proxy_refused",  # proxies not allowed
    72: "proxy_refused",  # proxy subject does not extend its issuer's
}
_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no_certificate",
    "BAD_SIGNATURE": "bad_certificate",
    "UNEXPECTED_EOF_WHILE_READING": "closed",
}
_SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What the process or the system has no more of."""


def reason_of(error: BaseException | None) -> str:
    """Classify what ended a handshake, as one of `rcmon.telemetry.own.HANDSHAKE_FAILURES`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY.get(error.verify_code, "bad_certificate")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "closed"
    if isinstance(error, ssl.SSLError) and (words := _words(error)):
        # TLSV1_ALERT_UNKNOWN_CA and the like: the client does not like the server, and says so
        return _REASONS.get(words) or ("client_alert" if "_ALERT_" in words else "protocol")
    if error is None:
        return "closed"
    if isinstance(error, OSError):
        return "limit" if error.errno in _SCARCE else "closed"
    return "other"


def detail_of(error: BaseException | None) -> str:
    """Say for people what ended a handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (_words(error) or "TLS error").replace("_", " ").lower()
    return str(error) if error else "no reason known"


def _words(error: ssl.SSLError) -> str:
    """Give OpenSSL's reason; an error that Python or Tornado made itself has none."""
    return getattr(error, "reason", None) or ""
