"""Signatures: which are verified, and which prove nothing."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from rcmon.access.der.signatures import SignatureError, verify
from tests.access import pki

CA = pki.authority(pki.name("CN=CA"))
MESSAGE = b"what was signed"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP384R1())
ED25519_KEY = ed25519.Ed25519PrivateKey.generate()
ED448_KEY = ed448.Ed448PrivateKey.generate()


def algorithm(dotted: str) -> bytes:
    return pki.tlv(0x30, pki.oid_der(dotted))


def holding(key: CertificatePublicKeyTypes) -> x509.Certificate:
    """Make a certificate that holds a key."""
    return (
        x509.CertificateBuilder()
        .subject_name(pki.name("CN=signer"))
        .issuer_name(pki.name("CN=CA"))
        .public_key(key)
        .serial_number(1)
        .not_valid_before(pki.now())
        .not_valid_after(pki.now() + dt.timedelta(days=1))
        .sign(CA.key, hashes.SHA256())
    )


SIGNED = {
    "1.2.840.113549.1.1.11": (RSA_KEY, RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())),
    "1.2.840.113549.1.1.12": (RSA_KEY, RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA384())),
    "1.2.840.113549.1.1.13": (RSA_KEY, RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA512())),
    "1.2.840.10045.4.3.2": (EC_KEY, EC_KEY.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))),
    "1.2.840.10045.4.3.3": (EC_KEY, EC_KEY.sign(MESSAGE, ec.ECDSA(hashes.SHA384()))),
    "1.2.840.10045.4.3.4": (EC_KEY, EC_KEY.sign(MESSAGE, ec.ECDSA(hashes.SHA512()))),
    "1.3.101.112": (ED25519_KEY, ED25519_KEY.sign(MESSAGE)),
    "1.3.101.113": (ED448_KEY, ED448_KEY.sign(MESSAGE)),
}


@pytest.mark.parametrize("oid", SIGNED)
def test_a_signature_holds_for_what_was_signed_and_nothing_else(oid: str) -> None:
    key, signature = SIGNED[oid]
    signer = holding(key.public_key())
    verify(signer, algorithm(oid), MESSAGE, signature)
    with pytest.raises(SignatureError, match="not valid"):
        verify(signer, algorithm(oid), MESSAGE + b"!", signature)
    with pytest.raises(SignatureError, match="not valid"):
        verify(signer, algorithm(oid), MESSAGE, signature[:-1] + bytes([signature[-1] ^ 1]))


@pytest.mark.parametrize("oid", SIGNED)
def test_an_algorithm_that_does_not_fit_the_key_is_refused(oid: str) -> None:
    key, signature = SIGNED[oid]
    for other in SIGNED:
        if SIGNED[other][0] is not key:
            with pytest.raises(SignatureError, match=r"does not fit|another algorithm"):
                verify(holding(key.public_key()), algorithm(other), MESSAGE, signature)


@pytest.mark.parametrize(
    ("oid", "weak"),
    [("1.2.840.113549.1.1.5", hashes.SHA1()), ("1.2.840.113549.1.1.4", hashes.MD5())],
    ids=["SHA-1", "MD5"],
)
def test_weak_digests_prove_nothing(oid: str, weak: hashes.HashAlgorithm) -> None:
    signature = RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), weak)
    with pytest.raises(SignatureError, match="is not one of RSA"):
        verify(holding(RSA_KEY.public_key()), algorithm(oid), MESSAGE, signature)


def test_dsa_is_refused() -> None:
    key = dsa.generate_private_key(1024)
    with pytest.raises(SignatureError, match="does not fit"):
        verify(holding(key.public_key()), algorithm("1.2.840.10045.4.3.2"), MESSAGE, b"")
