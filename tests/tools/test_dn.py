"""`python -m rcmon.tools.dn`: what it prints can be pasted into a roles file, and grants the role."""

from pathlib import Path

import pytest
from cryptography import x509

from rcmon.access.identity import identify
from rcmon.access.roles import Role, RoleTable
from rcmon.tools import dn
from tests.access import pki

ROOT = pki.authority(pki.name("DC=ch", "CN=CA"))
OTHER = pki.authority(pki.name("DC=org", "CN=CA"))
NASTY = pki.name("DC=ch", "O=a/OU=b", 'CN=Robot: "O\'Brien\\, Zoë" + 1', ["CN=x", "UID=+CN=y"])
USERS = {
    "user": pki.entity(pki.name("DC=ch", "CN=alice", "CN=123"), ROOT),
    "nasty": pki.entity(NASTY, ROOT),
    "host": pki.entity(
        pki.name("CN=host/foo.org"), ROOT, sans=[x509.DNSName("foo.org"), x509.DNSName("*.foo.org")]
    ),
    "workload": pki.entity(pki.name(), ROOT, sans=[x509.UniformResourceIdentifier("spiffe://foo.org/a")]),
}


def granted(lines: str, credential: pki.Credential, issuer: pki.Credential = ROOT) -> frozenset[Role]:
    table = RoleTable.parse(f"[roles]\nreader = [\n{lines}\n]")
    return table.held_by(identify([credential.der, issuer.der])).roles


@pytest.mark.parametrize("who", USERS)
def test_every_printed_line_grants_the_role(
    who: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dn.main([str(USERS[who].write(tmp_path / "cert.pem"))]) == 0
    printed = capsys.readouterr().out
    lines = [line for line in printed.splitlines() if not line.startswith("#")]
    assert lines
    assert granted(printed, USERS[who]) == {Role.READER}
    for line in lines:
        assert granted(line, USERS[who]) == {Role.READER}, line
        others = [other for name, other in USERS.items() if name != who]
        assert not any(granted(line, other) for other in others)


def test_one_line_is_bound_to_the_issuer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dn.main([str(USERS["user"].write(tmp_path / "cert.pem"))])
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    same_name = pki.entity(pki.name("DC=ch", "CN=alice", "CN=123"), OTHER)
    assert [bool(granted(line, same_name, OTHER)) for line in lines] == [True, False]


def test_a_proxy_is_named_by_who_made_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dn.main([str(pki.proxy(pki.proxy(USERS["user"])).write(tmp_path / "proxy"))])
    assert '"dn:/DC=ch/CN=alice/CN=123",\n' in capsys.readouterr().out


def test_der_will_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cert.der"
    path.write_bytes(USERS["user"].der)
    assert dn.main([str(path)]) == 0
    assert '"dn:/DC=ch/CN=alice/CN=123",\n' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "holds no readable certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no readable certificate"),
        (USERS["user"].key_pem, "holds no certificate in PEM form, but PRIVATE KEY"),
        (pki.proxy(USERS["user"]).certificate_pem, "holds proxies only"),
        (pki.entity(pki.name("CN=a\0"), ROOT).certificate_pem, "U+0000"),
        (pki.entity(pki.name(), ROOT).certificate_pem, "has no subject, host name or single URI"),
    ],
)
def test_what_names_nobody_is_a_clear_error(
    content: bytes, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cert"
    path.write_bytes(content)
    assert dn.main([str(path)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert complaint in printed.err
    assert printed.err.count("\n") == 1


def test_a_missing_file_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dn.main([str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err == f"{tmp_path}/none: cannot be read: No such file or directory\n"
