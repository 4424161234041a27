"""`python -m rcmon.tools.check`: what it says is what the service would do."""

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from rcmon.access.der.oids import LIMITED
from rcmon.tools import check
from tests.access import pki
from tests.access.crl_pki import crl, pem
from tests.access.pki import Credential

ROOT = pki.authority(pki.name("DC=ch", "CN=CA"))
OTHER = pki.authority(pki.name("DC=org", "CN=Other CA"))
MINUTE = dt.timedelta(minutes=1)
ALICE = pki.entity(pki.name("DC=ch", "CN=alice"), ROOT)
REVOKED = pki.entity(pki.name("DC=ch", "CN=alice"), ROOT)


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """A service's files: a CA with a revocation list, and a roles file."""
    path = pki.add_to_directory(tmp_path / "cas", ROOT)
    path.with_suffix(".r0").write_bytes(pem(crl(ROOT, [REVOKED])))
    (tmp_path / "roles.toml").write_text('[roles]\noperator = ["dn:/DC=ch/CN=alice"]\n')
    return ["--tls-ca", str(path.parent), "--roles-file", str(tmp_path / "roles.toml")]


def run(
    credential: Credential, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    code = check.main([str(credential.write(tmp_path / "cert.pem")), *options])
    return code, capsys.readouterr().out


def test_who_is_let_in_is_told_as_whom_and_with_which_roles(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = run(pki.proxy(ALICE), options, tmp_path, capsys)
    assert code == 0
    assert "let in as /DC=ch/CN=alice, issued by /DC=ch/CN=CA" in printed
    assert printed.endswith("roles: operator, reader\n")
    kinds = [line.split(":")[0].strip() for line in printed.splitlines()[1:-1]]
    assert kinds == ["proxy", "identity", "CA"]


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: pki.entity(pki.name("CN=a"), OTHER), "/DC=org/CN=Other CA is not among the trusted CAs"),
        (lambda: pki.entity(pki.name("CN=a"), ROOT, lasts=MINUTE), "certificate has expired"),
        (lambda: pki.entity(pki.name("CN=a"), ROOT, begins=MINUTE), "certificate is not yet valid"),
        (lambda: pki.entity(pki.name("CN=a"), ROOT, eku=[Eku.SERVER_AUTH]), "unsuitable certificate purpose"),
        (lambda: REVOKED, "(revoked)"),
        (lambda: pki.proxy(REVOKED), "(revoked)"),
        (lambda: pki.proxy(ALICE, critical=False), "(proxy_not_critical)"),
        (lambda: pki.proxy(ALICE, language="1.2.3"), "(proxy_policy)"),
        (lambda: pki.entity(pki.name("CN=a\0b"), ROOT), "U+0000"),
    ],
)  # fmt: skip
def test_who_is_refused_is_told_why(
    make: Callable[[], Credential],
    complaint: str,
    options: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, printed = run(make(), options, tmp_path, capsys)
    assert code == 1
    assert printed.startswith("refused: ")
    assert complaint in printed
    assert printed.count("\n") == 1


def test_who_has_no_role_is_told_how_to_get_one(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = run(pki.entity(pki.name("CN=stranger"), ROOT), options, tmp_path, capsys)
    assert code == 1
    assert "known as /CN=stranger, issued by /DC=ch/CN=CA, but without any role" in printed
    assert "rcmon.tools.dn" in printed


def test_a_limited_proxy_reads_and_is_called_so(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = run(pki.proxy(ALICE, language=LIMITED), options, tmp_path, capsys)
    assert code == 0
    assert "limited proxy: /DC=ch/CN=alice/CN=" in printed
    assert printed.endswith("roles: reader\n")


def test_the_options_of_the_service_count(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy = pki.proxy(ALICE)
    assert run(REVOKED, [*options, "--tls-crl", "off"], tmp_path, capsys)[0] == 0
    code, printed = run(proxy, [*options, "--tls-proxies", "refuse"], tmp_path, capsys)
    assert (code, printed) == (
        1,
        "refused: in the TLS handshake: proxy certificates not allowed, please set the appropriate flag\n",
    )
    file = tmp_path / "rcmon.toml"
    file.write_text(
        f'[tls]\nca = "{options[1]}"\nproxies = "refuse"\n[access]\nroles_file = "{options[3]}"\n'
    )
    assert run(proxy, ["--config", str(file)], tmp_path, capsys)[0] == 1
    assert run(ALICE, ["--config", str(file)], tmp_path, capsys)[0] == 0


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--tls-ca", "/nonexistent"], "/nonexistent"),
        (["--roles-file", "/nonexistent"], "roles file /nonexistent: cannot be read"),
        (["--tls-cas", "x"], "--tls-cas"),
    ],
)
def test_a_wrong_option_is_a_clear_error(
    change: list[str], complaint: str, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ALICE.write(tmp_path / "cert.pem")
    assert check.main([str(path), *options, *change]) == 78
    printed = capsys.readouterr()
    assert printed.out == ""
    assert complaint in printed.err
    assert check.main([str(path), "--roles-file", options[3], "--config", "/dev/null"]) == 78


def test_certificate_and_key_may_be_two_files(options: list[str], tmp_path: Path) -> None:
    """As a person runs it."""
    (tmp_path / "cert.pem").write_bytes(ALICE.certificate_pem)
    (tmp_path / "key.pem").write_bytes(ALICE.key_pem)
    command = [
        sys.executable,
        "-m",
        "rcmon.tools.check",
        str(tmp_path / "cert.pem"),
        str(tmp_path / "key.pem"),
    ]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "let in as /DC=ch/CN=alice" in done.stdout


def test_a_key_of_another_certificate_is_a_clear_error(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cert.pem").write_bytes(ALICE.certificate_pem)
    (tmp_path / "key.pem").write_bytes(REVOKED.key_pem)
    assert check.main([str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"), *options]) == 1
    assert "cannot be used as certificate and key" in capsys.readouterr().out
    assert check.main([str(tmp_path / "cert.pem"), *options]) == 1
    assert "cannot be used as certificate and key" in capsys.readouterr().out


def test_what_may_not_be_meant_is_told_even_to_whoever_is_refused(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(options[3]).write_text("# mine\n[roles]\nreader = ['dn:/DC=ch/CN=alice ']\n")
    (tmp_path / "cas" / "00000000.0").write_text("nothing")
    code, printed = run(ALICE, options, tmp_path, capsys)
    assert code == 1
    assert f"warning: roles file {options[3]}, line 3: '/DC=ch/CN=alice ' has white space" in printed
    assert "00000000.0 holds no certificate in PEM form" in printed
    assert printed.splitlines()[-1].startswith("known as /DC=ch/CN=alice")
    assert "has white space" in run(REVOKED, options, tmp_path, capsys)[1]


@pytest.mark.parametrize("form", ["compat", "RFC2253", "oneline"])
def test_the_name_as_openssl_prints_it_grants_the_role(
    form: str, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host = pki.entity(pki.name("DC=ch", "CN=host/mon.example.org", "CN=a+b"), ROOT)
    command = ["openssl", "x509", "-noout", "-subject", "-nameopt", form]
    done = subprocess.run(command, input=host.certificate_pem, capture_output=True, check=True, timeout=300)
    name = done.stdout.decode().removeprefix("subject=").strip()
    Path(options[3]).write_text(f"[roles]\nreader = ['dn:{name}']\n")
    assert "roles: reader" in run(host, options, tmp_path, capsys)[1]
