"""Certificates in PEM form: all of a file, or none and the reason."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

from rcmon.access.authority.authorities import read_authorities
from rcmon.access.der.pem import PemError, load_certificates
from rcmon.access.handshake.credential import load_credential
from rcmon.errors import ConfigError, RcmonError
from rcmon.tools import check, dn
from tests.access import pki

ROOT = pki.authority(pki.name("DC=ch", "CN=CA"))
HOST = pki.host(ROOT)
BOTH = HOST.certificate_pem + ROOT.certificate_pem


def test_every_certificate_is_read_whatever_stands_between() -> None:
    text = b"subject=/CN=x\n" + HOST.certificate_pem + HOST.key_pem + b"# my CA\r\n" + ROOT.certificate_pem
    assert load_certificates(text) == (HOST.certificate, ROOT.certificate)


def test_a_file_that_is_being_written_is_not_taken_for_whole() -> None:
    for length in range(len(HOST.certificate_pem) + 30, len(BOTH) - 1, 7):
        with pytest.raises(PemError):
            load_certificates(BOTH[:length])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no certificate in PEM form$"),
        (HOST.key_pem, "holds no certificate in PEM form, but PRIVATE KEY$"),
        (serialize_certificates([ROOT.certificate], Encoding.PEM), "no certificate in PEM form, but PKCS7$"),
        (BOTH.replace(b"\nM", b"\n!", 1), "holds no readable certificate in PEM form: "),
        (BOTH[:-60], "certificate"),
    ],
    ids=["empty", "key", "PKCS #7", "not base64", "cut off"],
)
def test_what_is_none_is_told(content: bytes, reason: str) -> None:
    with pytest.raises(PemError, match=reason):
        load_certificates(content)


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    """Write a server's certificate with its CA and key as `openssl x509 -trustout` does."""
    path = HOST.write(tmp_path / "host.pem")
    command = ["openssl", "x509", "-in", path, "-trustout", "-addtrust", "serverAuth"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=300)
    assert done.stdout.startswith(b"-----BEGIN TRUSTED CERTIFICATE-----")
    path.write_bytes(done.stdout + HOST.key_pem + ROOT.certificate_pem)
    return path


def test_openssls_own_form_is_named_wherever_a_certificate_is_read(
    trusted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside plain ones it would be passed over in silence, and its CA be unknown."""
    with pytest.raises(ConfigError, match=r"server certificate .*TRUSTED CERTIFICATE.*openssl x509 -in"):
        load_credential(trusted, trusted)
    with pytest.raises(RcmonError, match=rf"{trusted} .*TRUSTED CERTIFICATE"):
        read_authorities(trusted)
    assert dn.main([str(trusted)]) == 1
    assert "TRUSTED CERTIFICATE" in capsys.readouterr().err


def test_what_the_message_says_to_do_helps(trusted: Path, tmp_path: Path) -> None:
    command = ["openssl", "x509", "-in", trusted, "-out", tmp_path / "plain.pem"]
    subprocess.run(command, capture_output=True, check=True, timeout=300)
    assert load_certificates((tmp_path / "plain.pem").read_bytes()) == (HOST.certificate,)
    assert x509.load_pem_x509_certificate((tmp_path / "plain.pem").read_bytes()) == HOST.certificate


def test_the_tool_tells_of_a_ca_file_in_that_form(trusted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roles = trusted.with_name("roles.toml")
    roles.write_text("[roles]\n")
    options = ["--tls-ca", str(trusted), "--roles-file", str(roles)]
    assert check.main([str(HOST.write(trusted.with_name("client.pem"))), *options]) == check.UNUSABLE
    assert "TRUSTED CERTIFICATE" in capsys.readouterr().err
