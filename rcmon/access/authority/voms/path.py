"""The path from a VOMS server's certificate to a trusted CA (RFC 5280, 6, as far as it is needed here).

OpenSSL verifies the client's chain, but Python has no way to hand it another; the paths here are short, and
whatever is not understood refuses them.
"""

from collections.abc import Sequence

from rcmon.access.authority.authorities import Trusted
from rcmon.access.authority.voms.fqan import VomsError
from rcmon.access.chain import Chain, ChainLink
from rcmon.access.der import asn1
from rcmon.access.der.asn1 import DerReader
from rcmon.access.der.fields import DIGITAL_SIGNATURE, KEY_CERT_SIGN
from rcmon.access.der.oids import (
    BASIC_CONSTRAINTS,
    CERTIFICATE_POLICIES,
    EXTENDED_KEY_USAGE,
    KEY_USAGE,
    SUBJECT_ALT_NAME,
)
from rcmon.access.der.signatures import SignatureError, verify

MAX_PATH = 10
UNDERSTOOD = {BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, SUBJECT_ALT_NAME, CERTIFICATE_POLICIES}
"""Extensions that may be critical: processed here, or without a say in who may sign attributes."""


def path_to_trusted(certificates: Sequence[ChainLink], trusted: Trusted, now: float) -> Chain:
    """Lead from the first of these certificates over the others to a trusted root; leaf first.

    Raises VomsError where there is no valid path at `now`.
    """
    path = [certificates[0]]
    rest = list(certificates[1:])
    while path[-1].issuer != path[-1].subject:
        candidates = rest[:1] or trusted.by_subject.get(path[-1].issuer, ())
        path.append(_issuer(path[-1], candidates))
        rest = rest[1:]
        if len(path) > MAX_PATH:
            raise VomsError(f"more than {MAX_PATH} certificates lead up from {path[0].subject}")
    anchors = trusted.by_subject.get(path[-1].subject, ())
    if path[-1].der not in {anchor.der for anchor in anchors}:
        raise VomsError(f"the root {path[-1].subject} is none of the trusted CAs")
    for depth, link in enumerate(path):
        _check(link, depth, now)
    return tuple(path)


def _issuer(link: ChainLink, candidates: Sequence[ChainLink]) -> ChainLink:
    reason = f"its issuer {link.issuer} is none of the trusted CAs"
    for candidate in candidates:
        if candidate.subject != link.issuer:
            continue
        try:
            verify(candidate.certificate, *_signature(link))
        except SignatureError as error:
            reason = str(error)
        else:
            return candidate
    raise VomsError(f"the certificate of {link.subject} proves nothing: {reason}")


def _signature(link: ChainLink) -> tuple[bytes, bytes, bytes]:
    """Take a certificate apart: algorithm, what was signed, signature."""
    outer = DerReader(link.der).enter(asn1.SEQUENCE)
    signed, algorithm = outer.element(asn1.SEQUENCE), outer.element(asn1.SEQUENCE)
    return algorithm, signed, outer.bits()


def _check(link: ChainLink, depth: int, now: float) -> None:
    """Hold that a certificate is valid and may stand at this place of the path (0: the server's own)."""
    fields = link.fields
    if not fields.not_before <= now < fields.not_after:
        raise VomsError(f"the certificate of {link.subject} is expired or not yet valid")
    for oid, extension in fields.extensions.items():
        if extension.critical and oid not in UNDERSTOOD:
            raise VomsError(f"the critical extension {oid} of {link.subject} is not understood")
    if depth == 0:
        if not fields.may(DIGITAL_SIGNATURE):
            raise VomsError(f"{link.subject} may not sign (keyUsage)")
        return
    if not (fields.is_authority() and fields.may(KEY_CERT_SIGN)):
        raise VomsError(f"{link.subject} is no CA (basicConstraints, keyUsage)")
    length = fields.path_length()
    if length is not None and depth - 1 > length:
        raise VomsError(f"{link.subject} allows {length} CAs below it, there are {depth - 1}")
