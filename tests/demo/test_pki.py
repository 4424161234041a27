import datetime as dt
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from rcmon.demo.pki import CLIENTS, P12_PASSWORD, DemoPki, make_pki

NAMES = ("ca", "server", *CLIENTS)


@pytest.fixture
def pki(tmp_path: Path) -> DemoPki:
    return make_pki(tmp_path / "pki")


def openssl(*arguments: object) -> str:
    tool = shutil.which("openssl")
    assert tool, "openssl is missing"
    done = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def contents(pki: DemoPki) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in pki.directory.iterdir()}


@pytest.mark.parametrize(
    ("name", "purpose", "good"),
    [
        ("server", "sslserver", True),
        ("server", "sslclient", False),
        *((name, "sslclient", True) for name in CLIENTS),
        *((name, "sslserver", False) for name in CLIENTS),
    ],
)
def test_openssl_takes_each_certificate_for_its_purpose_alone(
    pki: DemoPki, name: str, purpose: str, good: bool
) -> None:
    said = openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", pki.ca, pki.certificate(name))
    assert (": OK" in said) is good, said


@pytest.mark.parametrize(
    "check",
    [
        ("-verify_hostname", "localhost"),
        ("-verify_ip", "127.0.0.1"),
        ("-verify_ip", "::1"),
    ],
)
def test_server_certificate_names_this_machine(pki: DemoPki, check: tuple[str, str]) -> None:
    assert ": OK" in openssl("verify", *check, "-CAfile", pki.ca, pki.certificate("server"))
    assert ": OK" not in openssl(
        "verify",
        check[0],
        "::2" if check[0] == "-verify_ip" else "elsewhere",
        "-CAfile",
        pki.ca,
        pki.certificate("server"),
    )


def test_certificates_have_keys_of_p256_and_last_thirty_days(pki: DemoPki) -> None:
    for name in NAMES:
        text = openssl("x509", "-in", pki.certificate(name), "-noout", "-text")
        assert "NIST CURVE: P-256" in text
        certificate = x509.load_pem_x509_certificate(pki.certificate(name).read_bytes())
        lifetime = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
        assert dt.timedelta(days=29, hours=23) < lifetime <= dt.timedelta(days=30)


def test_subjects_are_the_demos(pki: DemoPki) -> None:
    said = openssl("x509", "-in", pki.certificate("reader"), "-noout", "-subject", "-nameopt", "compat")
    assert said.strip() == "subject=/DC=org/DC=rcmon/OU=Demo/CN=reader"


def test_keys_belong_to_their_owner_alone(pki: DemoPki) -> None:
    private = [path for path in pki.directory.iterdir() if path.suffix in (".key", ".pem", ".p12")]
    assert len(private) == len(NAMES) + 2 * len(CLIENTS)
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def test_pem_holds_certificate_and_key_as_a_client_loads_them(pki: DemoPki) -> None:
    for name in CLIENTS:
        ssl.create_default_context().load_cert_chain(pki.both(name))


def test_p12_holds_what_a_browser_imports(pki: DemoPki) -> None:
    for name in CLIENTS:
        said = openssl("pkcs12", "-in", pki.p12(name), "-passin", f"pass:{P12_PASSWORD}", "-nodes")
        held = pki.certificate(name).read_text().strip()
        assert held in said
        assert pki.ca.read_text().strip() in said
        assert "PRIVATE KEY" in said
        assert f"friendlyName: rcmon demo {name}" in said


def test_serials_differ(pki: DemoPki) -> None:
    certificates = [x509.load_pem_x509_certificate(pki.certificate(name).read_bytes()) for name in NAMES]
    assert len({certificate.serial_number for certificate in certificates}) == len(NAMES)


def test_whole_certificates_are_kept_until_a_day_before_their_end(pki: DemoPki) -> None:
    before = contents(pki)
    now = dt.datetime.now(dt.UTC)
    make_pki(pki.directory, now + dt.timedelta(days=28, hours=23))
    assert contents(pki) == before
    make_pki(pki.directory, now + dt.timedelta(days=29, hours=1))
    assert all(contents(pki)[name] != content for name, content in before.items())


def swap(pki: DemoPki, one: str, other: str) -> None:
    for path in (pki.certificate, pki.key, pki.both, pki.p12):
        first, second = path(one).read_bytes(), path(other).read_bytes()
        path(one).write_bytes(second)
        path(other).write_bytes(first)


def other_ca(pki: DemoPki) -> None:
    other = make_pki(pki.directory.parent / "other")
    shutil.copy(other.ca, pki.ca)
    shutil.copy(other.key("ca"), pki.key("ca"))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda pki: pki.key("agent").unlink(), id="key missing"),
        pytest.param(lambda pki: pki.ca.unlink(), id="CA missing"),
        pytest.param(lambda pki: pki.certificate("server").write_bytes(b""), id="certificate empty"),
        pytest.param(lambda pki: pki.key("reader").write_bytes(b"\xff"), id="key garbage"),
        pytest.param(lambda pki: pki.key("reader").chmod(0o644), id="key readable by others"),
        pytest.param(lambda pki: pki.both("admin").chmod(0o640), id="pem readable by the group"),
        pytest.param(lambda pki: pki.both("admin").write_bytes(pki.both("reader").read_bytes()), id="pem"),
        pytest.param(lambda pki: pki.p12("reader").write_bytes(pki.p12("admin").read_bytes()), id="p12"),
        pytest.param(lambda pki: pki.p12("reader").write_bytes(b""), id="p12 empty"),
        pytest.param(lambda pki: pki.p12("reader").chmod(0o644), id="p12 readable by others"),
        pytest.param(lambda pki: swap(pki, "reader", "admin"), id="subjects swapped"),
        pytest.param(
            lambda pki: pki.key("reader").write_bytes(pki.key("admin").read_bytes()), id="another's key"
        ),
        pytest.param(other_ca, id="another CA of that name"),
    ],
)
def test_any_damage_makes_them_anew(pki: DemoPki, damage: Callable[[DemoPki], object]) -> None:
    before = contents(pki)
    damage(pki)
    make_pki(pki.directory)
    after = contents(pki)
    assert all(after[name] != content for name, content in before.items())
    assert ": OK" in openssl("verify", "-CAfile", pki.ca, pki.certificate("admin"))
    assert make_pki(pki.directory) == pki
    assert contents(pki) == after
