"""Certificates are found as grid tools find them, and looked at before they are used."""

import datetime as dt
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from rcmon.terminal.credentials import Found, Surroundings, find
from rcmon.terminal.failure import TerminalError
from rcmon.terminal.trusting import authorities, context
from tests.access import pki
from tests.browser.site import Site
from tests.terminal.asking import environment, program
from tests.terminal.conftest import Run
from tests.web.pki import CREDENTIALS, ROOT, files

ME = CREDENTIALS["reader"]


@pytest.fixture
def where(tmp_path: Path) -> Surroundings:
    """A user without anything."""
    (tmp_path / "home" / ".globus").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    return Surroundings({}, tmp_path / "home", os.getuid(), tmp_path / "tmp")


def split(credential: pki.Credential, certificate: Path, key: Path) -> None:
    certificate.write_bytes(credential.certificate_pem)
    key.write_bytes(credential.key_pem)
    key.chmod(0o400)


def test_the_order_is_that_of_grid_tools(where: Surroundings, tmp_path: Path) -> None:
    """Each is found while those before it are not there."""
    with pytest.raises(TerminalError, match="no certificate was found") as caught:
        find(None, None, where)
    assert str(where.proxy) in str(caught.value)
    globus = where.home / ".globus"
    split(ME, globus / "usercert.pem", globus / "userkey.pem")
    assert find(None, None, where).certificate == globus / "usercert.pem"
    split(ME, tmp_path / "cert", tmp_path / "key")
    pair = {"X509_USER_CERT": str(tmp_path / "cert"), "X509_USER_KEY": str(tmp_path / "key")}
    named = Surroundings(pair, where.home, where.uid, where.temporary)
    assert find(None, None, named).key == tmp_path / "key"
    ME.write(where.proxy)
    assert find(None, None, named) == Found(where.proxy, where.proxy, "the usual place of a proxy")
    ME.write(tmp_path / "proxy")
    proxied = Surroundings(
        pair | {"X509_USER_PROXY": str(tmp_path / "proxy")}, where.home, where.uid, where.temporary
    )
    assert find(None, None, proxied).origin == "X509_USER_PROXY"
    assert find(str(tmp_path / "cert"), str(tmp_path / "key"), proxied).origin == "--cert"


def refused(where: Surroundings, *words: str, **variables: str) -> None:
    given = Surroundings(variables, where.home, where.uid, where.temporary)
    with pytest.raises(TerminalError) as caught:
        find(None, None, given)
    assert not [word for word in words if word not in str(caught.value)], caught.value


def test_what_is_named_and_not_there_is_told_and_nothing_else_is_taken(
    where: Surroundings, tmp_path: Path
) -> None:
    ME.write(where.proxy)
    refused(where, "/nowhere (X509_USER_PROXY)", "No such file", X509_USER_PROXY="/nowhere")
    where.proxy.unlink()
    refused(where, "X509_USER_KEY is not", X509_USER_CERT="/nowhere")
    refused(where, "X509_USER_CERT is not", X509_USER_KEY="/nowhere")
    refused(where, str(tmp_path), "directory", X509_USER_PROXY=str(tmp_path))
    with pytest.raises(TerminalError, match="--key is given without --cert"):
        find(None, "/nowhere", where)


def test_a_certificate_that_has_expired_or_is_not_valid_yet(where: Surroundings) -> None:
    day = dt.timedelta(days=1)
    pki.entity(pki.name("CN=me"), ROOT, begins=-3 * day, lasts=day).write(where.proxy)
    refused(where, "expired 2 d ago", "voms-proxy-init")
    pki.entity(pki.name("CN=me"), ROOT, begins=day).write(where.proxy)
    refused(where, "not valid for another", "clock")


def test_a_proxy_of_a_user_whose_certificate_has_expired(where: Surroundings) -> None:
    """The whole chain must be valid."""
    day = dt.timedelta(days=1)
    user = pki.entity(pki.name("CN=me"), ROOT, begins=-3 * day, lasts=day)
    pki.proxy(user).write(where.proxy)
    refused(where, "expired 2 d ago")


def test_a_key_that_others_can_read_or_that_is_anothers(where: Surroundings) -> None:
    ME.write(where.proxy).chmod(0o644)
    refused(where, "can be read by others", f"chmod 600 {where.proxy}")
    where.proxy.chmod(0o600)
    other = Surroundings({"X509_USER_PROXY": str(where.proxy)}, where.home, where.uid + 1, where.temporary)
    if os.getuid() != 0:
        with pytest.raises(TerminalError, match="belongs to another user"):
            find(None, None, other)
    else:
        os.chown(where.proxy, 12345, 12345)
        refused(where, "belongs to another user (uid 12345)")


def test_a_file_that_is_no_certificate(where: Surroundings) -> None:
    where.proxy.write_bytes(b"\x00\x01 no certificate")
    where.proxy.chmod(0o600)
    refused(where, "no certificate in PEM form", "openssl pkcs12")
    with where.proxy.open("wb") as file:
        file.truncate(2 << 20)
    refused(where, "too large")


def test_a_key_of_another_certificate(where: Surroundings, tmp_path: Path) -> None:
    split(ME, tmp_path / "cert", tmp_path / "mine")
    split(CREDENTIALS["agent"], tmp_path / "other", tmp_path / "key")
    found = find(str(tmp_path / "cert"), str(tmp_path / "key"), where)
    with pytest.raises(TerminalError, match="cannot be used as certificate and key: KEY_VALUES_MISMATCH"):
        context(found, authorities(str(files().ca_file), where))


def test_cas_are_what_is_named_then_the_grids_then_the_systems(where: Surroundings, tmp_path: Path) -> None:
    given = Surroundings({"X509_CERT_DIR": "/dir"}, where.home, where.uid)
    assert authorities("/ca", given).path == Path("/ca")
    assert authorities(None, given).path == Path("/dir")
    assert authorities(None, where, tmp_path).path == tmp_path
    assert authorities(None, where, tmp_path / "nowhere").path is None
    found = find(
        None, None, Surroundings({"X509_USER_PROXY": str(ME.write(where.proxy))}, where.home, where.uid)
    )
    with pytest.raises(TerminalError, match=r"the CAs in /ca \(--ca\) cannot be used: No such file"):
        context(found, authorities("/ca", given))


def test_a_proxy_is_let_in(run: Run, tmp_path: Path) -> None:
    proxy = pki.proxy(ME).write(tmp_path / "proxy")
    said = run("whoami", X509_USER_PROXY=str(proxy))
    assert said.out.splitlines()[0] == "/DC=ch/CN=reader", said
    assert "by           a proxy" in said.out


def test_the_proxy_of_this_user_and_what_lies_in_globus_are_used(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".globus").mkdir()
    split(ME, tmp_path / ".globus" / "usercert.pem", tmp_path / ".globus" / "userkey.pem")
    assert "CN=reader" in run("whoami", persona=None, HOME=str(tmp_path)).out


def test_a_key_with_a_pass_phrase_is_not_waited_for_where_nobody_sits(site: Site, tmp_path: Path) -> None:
    key = ME.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"phrase"))
    (tmp_path / "cert").write_bytes(ME.certificate_pem)
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "key").chmod(0o400)
    options = ["--cert", str(tmp_path / "cert"), "--key", str(tmp_path / "key")]
    said = program(["whoami", *options], environment(site, None))
    assert said.status == 77
    assert said.err.startswith(f"rcmon-cli: {tmp_path}/key is encrypted, and nobody can be asked")


def test_options_may_stand_before_and_behind_the_command(run: Run) -> None:
    operator = ["--cert", str(files().personas["operator"])]
    assert "CN=operator" in run(*operator, "whoami").out
    assert "CN=operator" in run("whoami", *operator).out
    assert "CN=operator" in run("--cert", "/nowhere", "whoami", *operator).out
