"""What changes on disk is taken up without a restart; what is broken there is refused, and what was stays."""

import datetime as dt
import logging
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import structs

from rcmon.access.authority.crl import CrlMode
from rcmon.access.handshake.credential import Credential
from rcmon.access.handshake.rehearsal import client_context, shake_hands
from rcmon.access.handshake.tls import verified_chain
from rcmon.access.roles import Role
from rcmon.access.trust import Trust
from rcmon.errors import ConfigError, IdentityError
from tests.access import pki
from tests.access.place import ALICE, BOB, EXPIRED, OTHER, ROOT, Place, use

UNUSUAL = ec.generate_private_key(ec.SECP224R1())
"""OpenSSL loads such a key, but no client takes it."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def connect(trust: Trust, client: pki.Credential) -> ssl.SSLObject:
    credential = Credential((client.certificate, *client.above), client.key)  # type: ignore[arg-type]
    return shake_hands(trust.context, client_context(credential))


def roles_of(trust: Trust, client: pki.Credential = ALICE) -> set[Role]:
    identity = trust.gate.admit(verified_chain(connect(trust, client)) or ())
    return set(trust.gate.decide(identity, trust._clock()).roles)


def served(trust: Trust) -> float:
    """The notAfter of the certificate that a client is shown tells one certificate from the next."""
    return trust.certificate_not_after()


async def test_nothing_happens_while_nothing_changes(place: Place) -> None:
    trust = Trust(place.files)
    context, generation = trust.context, trust.gate.generation
    for _ in range(3):
        assert await trust.check() == []
    assert trust.context is context
    assert trust.gate.generation == generation
    assert roles_of(trust) == {Role.READER}


async def test_roles_are_taken_up_for_whoever_is_connected(place: Place) -> None:
    trust = Trust(place.files)
    identity = trust.gate.admit(verified_chain(connect(trust, ALICE)) or ())
    for granted in (False, True, False):
        place.grant("dn:/DC=ch/CN=alice" if granted else "dn:/DC=ch/CN=nobody")
        assert await trust.check() == [("roles", True)]
        assert bool(trust.gate.decide(identity, trust._clock()).roles) is granted


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.write_text("[roles]\nreaders = []"), "'readers' is not a role"),
        (lambda path: path.write_text("[rol"), "is not TOML"),
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.chmod(0o666), "chmod go-w"),
    ],
    ids=["unknown role", "half written", "missing", "others may write"],
)
async def test_a_broken_roles_file_is_refused_once_and_the_old_roles_stay(
    spoil: Callable[[Any], object], complaint: str, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    trust = Trust(place.files)
    spoil(place.files.roles)
    assert await trust.check() == [("roles", False)]
    assert await trust.check() == []
    assert roles_of(trust) == {Role.READER}
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert complaint in record.getMessage()
    assert "what was good before stays in use" in record.getMessage()
    place.files.roles.unlink(missing_ok=True)
    place.grant("dn:/DC=ch/CN=nobody")
    assert await trust.check() == [("roles", True)]
    assert roles_of(trust) == set()


async def test_permissions_alone_are_a_change(place: Place) -> None:
    """What was refused for its permissions is taken up when they are put right."""
    trust = Trust(place.files)
    place.grant("dn:/DC=ch/CN=nobody")
    place.files.roles.chmod(0o666)
    assert await trust.check() == [("roles", False)]
    place.files.roles.chmod(0o644)
    assert await trust.check() == [("roles", True)]


async def test_a_new_certificate_is_served_to_new_connections(place: Place) -> None:
    trust = Trust(place.files)
    before, context = served(trust), trust.context
    place.use(pki.entity(pki.name("CN=localhost"), ROOT, eku=None, lasts=dt.timedelta(days=60)))
    assert await trust.check() == [("tls", True)]
    assert trust.context is not context
    assert served(trust) > before
    assert roles_of(trust) == {Role.READER}
    assert await trust.check() == []


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (
            lambda files: files.certificate.write_text("-----BEGIN"),
            "server certificate .* holds no certificate",
        ),
        (lambda files: files.certificate.write_bytes(pki.host(ROOT).certificate_pem), "is not the key of"),
        (lambda files: files.key.unlink(), "server key .* cannot be read"),
        (lambda files: files.key.chmod(0o644), "chmod 600"),
        (lambda files: use(files, EXPIRED), "has expired, or is not valid yet"),
        (
            lambda files: use(files, pki.host(ROOT, key=UNUSUAL)),
            "host.crt.*trial handshake with TLSv1_2",
        ),
    ],
    ids=["half written", "key not replaced yet", "no key", "others may read the key", "expired", "odd curve"],
)
async def test_a_broken_certificate_is_refused_once_and_the_old_one_stays(
    spoil: Callable[[Any], object], complaint: str, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    trust = Trust(place.files)
    context = trust.context
    spoil(place.files)
    assert await trust.check() == [("tls", False)]
    assert await trust.check() == []
    assert trust.context is context
    assert roles_of(trust) == {Role.READER}
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert re.search(complaint, record.getMessage())
    place.use(pki.host(ROOT))
    assert await trust.check() == [("tls", True)]


async def test_a_ca_is_added_and_taken_away(place: Place) -> None:
    place.grant("dn:/DC=ch/CN=alice", "dn:/DC=org/CN=bob")
    trust = Trust(place.files)
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(trust, BOB)
    added = pki.add_to_directory(place.cas, OTHER)
    assert await trust.check() == [("authorities", True), ("tls", True)]
    assert roles_of(trust, BOB) == {Role.READER}
    added.unlink()
    assert await trust.check() == [("authorities", True), ("tls", True)]
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(trust, BOB)
    assert roles_of(trust) == {Role.READER}


async def test_the_last_ca_does_not_go_away(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    trust = Trust(place.files)
    place.ca_file.unlink()
    assert await trust.check() == [("authorities", False)]
    assert await trust.check() == []
    assert roles_of(trust) == {Role.READER}
    assert "openssl rehash" in caplog.text


async def test_a_directory_that_is_not_mounted_for_a_moment_lets_no_revoked_user_in(place: Place) -> None:
    place.revoke(ALICE)
    trust = Trust(place.files)
    away = place.cas.rename(place.cas.with_name("away"))
    place.cas.mkdir()
    assert await trust.check() == [("authorities", False)]
    with pytest.raises(IdentityError, match="is revoked by"):
        roles_of(trust)
    assert "openssl rehash" in str(trust.troubles()["authorities"])
    place.cas.rmdir()
    away.rename(place.cas)
    assert await trust.check() == [("authorities", True)]
    assert set(trust.troubles().values()) == {None}
    with pytest.raises(IdentityError, match="is revoked by"):
        roles_of(trust)


async def test_a_revocation_counts_for_whoever_is_connected(place: Place) -> None:
    place.revoke()
    trust = Trust(place.files)
    identity = trust.gate.admit(verified_chain(connect(trust, ALICE)) or ())
    bearer = pki.proxy(ALICE)
    place.revoke(ALICE)
    assert ("crl", True) in await trust.check()
    assert trust.gate.decide(identity, trust._clock()).refusal == "revoked"
    for client in (ALICE, bearer):
        with pytest.raises(IdentityError) as caught:
            roles_of(trust, client)
        assert caught.value.reason == "revoked"
    assert [(status.entries, status.error) for status in trust.crls()] == [(1, None)]


async def test_a_broken_revocation_list_leaves_the_old_one_in_use(place: Place) -> None:
    place.revoke(ALICE)
    trust = Trust(place.files)
    place.ca_file.with_suffix(".r0").write_text("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    assert ("crl", False) in await trust.check()
    assert await trust.check() == []
    with pytest.raises(IdentityError) as caught:
        roles_of(trust)
    assert caught.value.reason == "revoked"


async def test_signing_policies_are_honoured(place: Place) -> None:
    trust = Trust(place.files)
    path = pki.add_to_directory(place.cas, ROOT, allowed="/*").with_suffix(".signing_policy")
    await trust.check()
    assert roles_of(trust) == {Role.READER}
    path.write_text(path.read_text().replace('"/*"', '"/DC=org/*"'))
    await trust.check()
    with pytest.raises(IdentityError) as caught:
        roles_of(trust)
    assert caught.value.reason == "namespace"


def test_lists_may_be_required(place: Place) -> None:
    with pytest.raises(IdentityError) as caught:
        roles_of(Trust(structs.replace(place.files, crl=CrlMode.REQUIRE)))
    assert caught.value.reason == "crl_missing"


def test_proxies_may_be_refused(place: Place) -> None:
    trust = Trust(structs.replace(place.files, proxies=False))
    with pytest.raises(ssl.SSLCertVerificationError, match="proxy certificates not allowed"):
        connect(trust, pki.proxy(ALICE))


@pytest.mark.parametrize("what", ["certificate", "key", "roles", "authorities", "crl_file", "vomsdir"])
def test_a_missing_file_stops_the_start(what: str, place: Place) -> None:
    missing = place.cas / "none"
    with pytest.raises(ConfigError, match=str(missing)):
        Trust(structs.replace(place.files, **{what: missing}))


def test_a_named_file_without_revocation_lists_stops_the_start(place: Place, tmp_path: Path) -> None:
    (tmp_path / "lists.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"lists\.pem"):
        Trust(structs.replace(place.files, crl_file=tmp_path / "lists.pem"))


def test_a_ca_file_without_certificates_stops_the_start(place: Place, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    with pytest.raises(ConfigError, match=str(empty)):
        Trust(structs.replace(place.files, authorities=empty))
    (tmp_path / "directory").mkdir()
    with pytest.raises(ConfigError, match="openssl rehash"):
        Trust(structs.replace(place.files, authorities=tmp_path / "directory"))


def test_one_file_of_cas_will_do(place: Place) -> None:
    assert roles_of(Trust(structs.replace(place.files, authorities=place.ca_file))) == {Role.READER}


def test_an_expired_certificate_is_warned_of_at_the_start(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """A service that collects is worth starting; whoever looks at its log learns why nobody connects."""
    place.use(EXPIRED)
    Trust(place.files)
    assert "has expired, or is not valid yet: clients will refuse it" in caplog.text
