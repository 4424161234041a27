"""Why a TLS connection did not come to be, as one of a fixed set of reasons."""

import ssl

_VERIFY = {
    # X509_V_ERR_*, from openssl/x509_vfy.h
    2: "unknown_ca",  # issuer certificate not found
    9: "not_yet_valid",
    10: "expired",
    18: "unknown_ca",  # self-signed certificate
    19: "unknown_ca",  # self-signed certificate in the chain
    20: "unknown_ca",  # issuer not found locally
    21: "unknown_ca",  # leaf signature cannot be verified
    23: "revoked",
    24: "unknown_ca",  # issuer is no CA
    26: "wrong_purpose",
    38: "proxy_refused",  # proxy path length exceeded
    40: "proxy_refused",  # proxies not allowed
    67: "proxy_refused",  # proxy subject does not extend its issuer's
}
_ALERTS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no_certificate",
    "HTTP_REQUEST": "protocol",
    "HTTPS_PROXY_REQUEST": "protocol",
    "WRONG_VERSION_NUMBER": "protocol",
    "UNSUPPORTED_PROTOCOL": "protocol",
    "NO_SHARED_CIPHER": "protocol",
    "UNKNOWN_PROTOCOL": "protocol",
    "VERSION_TOO_LOW": "protocol",
    "BAD_SIGNATURE": "bad_certificate",
    "UNEXPECTED_EOF_WHILE_READING": "closed",
}


def reason_of(error: BaseException | None) -> str:
    """Classify what ended a handshake, as one of `rcmon.web.counters.HANDSHAKE_FAILURES`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY.get(error.verify_code, "bad_certificate")
    if isinstance(error, ssl.SSLError) and error.reason:
        known = _ALERTS.get(error.reason)
        if known is None and "ALERT" in error.reason:
            known = "closed"  # the client gave up, and said so
        return known or "protocol"
    if error is None or isinstance(error, (OSError, EOFError)):
        return "closed"
    return "other"
