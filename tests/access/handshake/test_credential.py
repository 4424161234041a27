"""The server's certificate and key: what is wrong with them is named before anything starts."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from rcmon.access.handshake.credential import load_credential
from rcmon.errors import ConfigError
from tests.access import pki

ROOT = pki.authority(pki.name("DC=ch", "CN=Root"))
ISSUING = pki.authority(pki.name("DC=ch", "CN=Issuing"), ROOT)
HOST = pki.host(ISSUING)
OTHER = pki.host(ISSUING)
BROKEN = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def files(directory: Path, certificate: bytes, key: bytes, mode: int = 0o600) -> tuple[Path, Path]:
    cert_file, key_file = directory / "host.crt", directory / "host.key"
    cert_file.write_bytes(certificate)
    key_file.write_bytes(key)
    key_file.chmod(mode)
    return cert_file, key_file


def encrypted() -> bytes:
    return HOST.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


def encrypted_in_the_old_way() -> bytes:
    return HOST.key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"secret")
    )


def of_a_wrong_kind() -> bytes:
    key = x25519.X25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, pki.NoEncryption())


@pytest.mark.parametrize(
    ("certificate", "key", "complaint"),
    [
        (b"", HOST.key_pem, "server certificate {cert}: holds no certificate"),
        (BROKEN, HOST.key_pem, "server certificate {cert}: holds no readable certificate"),
        (HOST.key_pem, HOST.key_pem, "server certificate {cert}: holds no certificate"),
        (HOST.certificate_pem, b"", "server key {key}: holds no private key"),
        (HOST.certificate_pem, HOST.certificate_pem, "server key {key}: holds no private key"),
        (HOST.certificate_pem, HOST.key_pem.replace(b"M", b"N"), "holds a private key that cannot"),
        (HOST.certificate_pem, encrypted(), "server key {key}: is encrypted"),
        (HOST.certificate_pem, encrypted_in_the_old_way(), "server key {key}: is encrypted"),
        (HOST.certificate_pem, of_a_wrong_kind(), "server key {key}: holds a private key of a kind"),
        (HOST.certificate_pem, OTHER.key_pem, "{key} is not the key of the certificate in {cert}"),
        (ISSUING.certificate_pem + HOST.certificate_pem, HOST.key_pem, "own certificate must come first"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(certificate: bytes, key: bytes, complaint: str, tmp_path: Path) -> None:
    cert_file, key_file = files(tmp_path, certificate, key)
    with pytest.raises(ConfigError) as caught:
        load_credential(cert_file, key_file)
    assert complaint.format(cert=cert_file, key=key_file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_are_named(tmp_path: Path) -> None:
    cert_file, key_file = files(tmp_path, HOST.certificate_pem, HOST.key_pem)
    with pytest.raises(ConfigError, match=f"server certificate {tmp_path}/x: cannot be read: No such file"):
        load_credential(tmp_path / "x", key_file)
    with pytest.raises(ConfigError, match=f"server key {tmp_path}/x: cannot be read: No such file"):
        load_credential(cert_file, tmp_path / "x")
    with pytest.raises(ConfigError, match="Is a directory"):
        load_credential(tmp_path, key_file)


@pytest.mark.parametrize(
    ("mode", "good"),
    [
        (0o400, True), (0o600, True), (0o440, True), (0o640, True),
        (0o660, False), (0o620, False), (0o644, False), (0o604, False), (0o602, False), (0o601, False),
    ],
)  # fmt: skip
def test_a_key_that_others_may_read_or_the_group_may_write_is_refused(
    mode: int, *, good: bool, tmp_path: Path
) -> None:
    paths = files(tmp_path, HOST.certificate_pem, HOST.key_pem, mode)
    if good:
        assert load_credential(*paths).not_after == HOST.certificate.not_valid_after_utc.timestamp()
    else:
        with pytest.raises(ConfigError, match=f"mode 0{mode:o}.*chmod 600"):
            load_credential(*paths)


@pytest.mark.parametrize(
    "make",
    [lambda: ec.generate_private_key(ec.SECP384R1()), lambda: rsa.generate_private_key(65537, 2048)],
    ids=["ec", "rsa"],
)
def test_one_file_may_hold_everything(make: Callable[[], ec.EllipticCurvePrivateKey], tmp_path: Path) -> None:
    user = pki.entity(pki.name("CN=a"), ISSUING, eku=None, key=make())
    path = user.write(tmp_path / "all.pem")
    credential = load_credential(path, path)
    assert credential.certificates == (user.certificate, ISSUING.certificate)
    assert credential.key.private_numbers() == user.key.private_numbers()  # type: ignore[union-attr]


def test_the_issuing_ca_is_added_to_a_certificate_that_stands_alone(tmp_path: Path) -> None:
    alone = load_credential(*files(tmp_path, HOST.certificate_pem, HOST.key_pem))
    authorities = [OTHER_CA.certificate, ROOT.certificate, ISSUING.certificate]
    assert alone.completed(authorities).certificates == (HOST.certificate, ISSUING.certificate)
    assert alone.completed([]).certificates == (HOST.certificate,)
    below_root = pki.host(ROOT)
    alone = load_credential(*files(tmp_path, below_root.certificate_pem, below_root.key_pem))
    assert alone.completed(authorities).certificates == (below_root.certificate, ROOT.certificate)


OTHER_CA = pki.authority(pki.name("DC=ch", "CN=Issuing"))
"""Of the same name as the issuing CA, and another one."""


def test_the_representation_shows_no_key(tmp_path: Path) -> None:
    credential = load_credential(*files(tmp_path, HOST.certificate_pem, HOST.key_pem))
    assert str(HOST.key.private_numbers().private_value) not in repr(credential)  # type: ignore[union-attr]
    assert "PRIVATE KEY" not in repr(credential)
