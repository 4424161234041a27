"""Revocation lists in use: whole chains are checked, and what goes wrong refuses."""

import datetime as dt
from pathlib import Path

import pytest

from rcmon.access.authority import refusal
from rcmon.access.authority.crl import CrlMode
from tests.access import pki
from tests.access.crl_grid import ALICE, BOB, HOUR, ISSUING, ROOT, Grid, two_lists
from tests.access.crl_pki import chain, crl, pem


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    return two_lists(tmp_path)


def test_who_is_on_the_list_is_refused_and_nobody_else(grid: Grid) -> None:
    assert grid.reason(ALICE) is None
    assert grid.reason(BOB) == refusal.REVOKED
    found = grid.lists.refusal(chain(BOB, ROOT), grid.now)
    assert found is not None
    assert found.message == "/DC=ch/CN=bob is revoked by /DC=ch/CN=Issuing"


def test_a_proxy_of_a_revoked_user_is_refused(grid: Grid) -> None:
    assert grid.reason(pki.proxy(pki.proxy(ALICE))) is None
    assert grid.reason(pki.proxy(BOB)) == refusal.REVOKED
    assert grid.reason(pki.proxy(pki.proxy(BOB))) == refusal.REVOKED


def test_the_users_of_a_revoked_ca_are_refused(grid: Grid) -> None:
    grid.put("00000001.r0", crl(ROOT, [ISSUING]))
    grid.refresh()
    assert grid.reason(ALICE) == refusal.REVOKED


def test_nothing_is_let_in_before_the_first_reading(tmp_path: Path) -> None:
    for mode, reason in ((CrlMode.IF_PRESENT, refusal.NOT_LOADED), (CrlMode.OFF, None)):
        assert Grid(tmp_path, mode).reason(ALICE) == reason


@pytest.mark.parametrize(
    ("mode", "reason"),
    [(CrlMode.REQUIRE, refusal.CRL_MISSING), (CrlMode.IF_PRESENT, None), (CrlMode.OFF, None)],
)
def test_a_ca_without_a_list(tmp_path: Path, mode: CrlMode, reason: str | None) -> None:
    grid = Grid(tmp_path, mode)
    grid.put("00000002.r0", crl(ISSUING))
    grid.refresh()
    assert grid.reason(ALICE) == reason


@pytest.mark.parametrize("mode", [CrlMode.REQUIRE, CrlMode.IF_PRESENT])
def test_an_expired_list_refuses_its_cas_users(tmp_path: Path, mode: CrlMode) -> None:
    grid = Grid(tmp_path, mode)
    grid.put("00000001.r0", crl(ROOT, lasts=dt.timedelta(days=3)))
    grid.put("00000002.r0", crl(ISSUING, [BOB]))
    grid.refresh()
    generation = grid.lists.generation
    assert grid.reason(ALICE) is None
    grid.now += 30 * HOUR
    assert (grid.reason(ALICE), grid.reason(BOB)) == (refusal.CRL_EXPIRED, refusal.REVOKED)
    grid.refresh()
    assert grid.lists.generation == generation + 1
    grid.put("00000002.r0", crl(ISSUING, [BOB], lasts=dt.timedelta(days=3)))
    grid.refresh()
    assert grid.reason(ALICE) is None


def test_mode_off_reads_nothing(grid: Grid, tmp_path: Path) -> None:
    off = Grid(tmp_path, CrlMode.OFF)
    off.refresh()
    assert (off.reason(BOB), off.lists.status()) == (None, ())


def test_a_file_of_which_nothing_could_ever_be_used_refuses_its_cas_users(tmp_path: Path) -> None:
    grid = Grid(tmp_path)
    (tmp_path / "00000002.r0").write_bytes(b"rubbish")
    grid.refresh()
    assert grid.reason(ALICE) == refusal.CRL_UNUSABLE
    other = pki.entity(pki.name("CN=x"), ROOT)
    assert grid.reason(other) is None
    grid.put("00000002.r1", crl(ISSUING))
    grid.refresh()
    assert grid.reason(ALICE) is None


def test_two_keys_of_one_ca_have_a_list_each(tmp_path: Path) -> None:
    """A list in force must be of the key that signed the certificate; a serial counts for the name."""
    grid = Grid(tmp_path)
    old = pki.authority(pki.name("DC=ch", "CN=Issuing"), ROOT)
    carol = pki.entity(pki.name("DC=ch", "CN=carol"), old)
    (tmp_path / "00000002.1").write_bytes(old.certificate_pem)
    grid.put("00000002.r0", crl(ISSUING, [carol], lasts=dt.timedelta(days=9)))
    grid.put("00000002.r1", crl(old))
    grid.refresh()
    assert (grid.reason(ALICE), grid.reason(carol)) == (None, refusal.REVOKED)
    grid.now += 30 * HOUR
    dave = pki.entity(pki.name("DC=ch", "CN=dave"), old)
    assert (grid.reason(ALICE), grid.reason(dave)) == (None, refusal.CRL_EXPIRED)


@pytest.mark.parametrize(("older", "newer"), [("r0", "r1"), ("r1", "r0")])
def test_of_two_lists_of_one_key_the_newer_is_in_force(tmp_path: Path, older: str, newer: str) -> None:
    grid = Grid(tmp_path)
    grid.put(f"00000002.{older}", crl(ISSUING, [ALICE], begins=dt.timedelta(hours=-5)))
    grid.put(f"00000002.{newer}", crl(ISSUING, [BOB]))
    grid.refresh()
    assert (grid.reason(ALICE), grid.reason(BOB)) == (None, refusal.REVOKED)


def test_status_names_every_list(grid: Grid) -> None:
    (grid.path / "00000002.r1").write_bytes(b"rubbish")
    grid.put("00000001.r0", crl(ROOT, number=12))
    grid.refresh()
    first, second, third = grid.lists.status()
    assert (first.file, first.issuer, first.number, first.entries, first.error) == (
        str(grid.path / "00000001.r0"), "/DC=ch/CN=Root", 12, 0, None,
    )  # fmt: skip
    assert (second.issuer, second.number, second.entries) == ("/DC=ch/CN=Issuing", None, 1)
    age = second.age(grid.now)
    assert age is not None
    assert HOUR - 5 < age < HOUR + 60
    assert second.next_update is not None
    assert second.next_update - grid.now < 24 * HOUR
    assert (third.issuer, third.next_update, third.age(grid.now)) == (None, None, None)
    assert third.error is not None
    assert "holds no revocation list" in third.error


def test_of_two_keys_lists_in_one_file_status_names_the_one_that_expires_first(tmp_path: Path) -> None:
    """Files and issuers are metric labels: no two may be the same."""
    named = tmp_path / "lists"
    (tmp_path / "ca").mkdir()
    old = pki.authority(pki.name("DC=ch", "CN=Issuing"), ROOT)
    later = pem(crl(old, [1, 2], lasts=dt.timedelta(days=9)))
    for content in (later + pem(crl(ISSUING)), pem(crl(ISSUING)) + later):
        named.write_bytes(content)
        grid = Grid(tmp_path / "ca", files=(named,))
        (grid.path / "00000002.1").write_bytes(old.certificate_pem)
        grid.refresh()
        (only,) = grid.lists.status()
        assert (only.entries, only.error) == (0, None)
