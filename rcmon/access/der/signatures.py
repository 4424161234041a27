"""Signatures over bytes that no dependency verifies for us: CRLs without a stall, attribute certificates.

The digest is taken by hashlib, which lets other threads run meanwhile; cryptography does the rest.
"""

import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from rcmon.access.der import asn1, oids
from rcmon.access.der.asn1 import DerReader
from rcmon.errors import RcmonError

RSA = {
    oids.RSA_SHA256: hashes.SHA256(),
    oids.RSA_SHA384: hashes.SHA384(),
    oids.RSA_SHA512: hashes.SHA512(),
}
ECDSA = {
    oids.ECDSA_SHA256: hashes.SHA256(),
    oids.ECDSA_SHA384: hashes.SHA384(),
    oids.ECDSA_SHA512: hashes.SHA512(),
}
EDDSA = {oids.ED25519: ed25519.Ed25519PublicKey, oids.ED448: ed448.Ed448PublicKey}
ACCEPTED = "RSA (PKCS #1 v1.5) or ECDSA with SHA-256, SHA-384 or SHA-512, Ed25519, Ed448"
MIN_RSA_BITS = 1024
"""Below it a key can be factored by anybody."""


class SignatureError(RcmonError):
    """A signature that does not hold; the message says why."""


def verify(signer: x509.Certificate, algorithm: bytes, signed: bytes, signature: bytes) -> None:
    """Hold that `signature` over `signed` was made with the private key of `signer`.

    `algorithm` is the DER of the AlgorithmIdentifier; MD5 and SHA-1 are no proof any more and are refused.
    Raises SignatureError, DerError.
    """
    oid = DerReader(algorithm).enter(asn1.SEQUENCE).oid()
    try:
        _verify(signer.public_key(), oid, signed, signature)
    except InvalidSignature as error:
        raise SignatureError("its signature is not valid") from error
    except (UnsupportedAlgorithm, ValueError) as error:
        raise SignatureError(f"its signature cannot be verified: {error}") from error


def _verify(key: CertificatePublicKeyTypes, oid: str, signed: bytes, signature: bytes) -> None:
    if oid in RSA and isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise SignatureError(f"it is signed with an RSA key of {key.key_size} bits, not {MIN_RSA_BITS}")
        digest = hashlib.new(RSA[oid].name, signed).digest()
        key.verify(signature, digest, padding.PKCS1v15(), utils.Prehashed(RSA[oid]))
    elif oid in ECDSA and isinstance(key, ec.EllipticCurvePublicKey):
        digest = hashlib.new(ECDSA[oid].name, signed).digest()
        key.verify(signature, digest, ec.ECDSA(utils.Prehashed(ECDSA[oid])))
    elif oid in EDDSA and isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        if not isinstance(key, EDDSA[oid]):
            raise SignatureError("its signature is of another algorithm than the issuer's key")
        key.verify(signature, signed)
    else:
        raise SignatureError(
            f"its signature algorithm {oid} does not fit the issuer's key, or is not one of {ACCEPTED}"
        )
