"""Revocation lists in use: whole chains are checked, files are followed, and what goes wrong refuses."""

import datetime as dt
import time
from pathlib import Path

import pytest

from rcmon.access import refusal
from rcmon.access.authorities import Authorities
from rcmon.access.crl import CrlMode, RevocationLists
from rcmon.access.crl.files import BASE64_CHUNK
from tests.access import pki
from tests.access.crl_pki import chain, crl, pem, replace

ROOT = pki.authority(pki.name("DC=ch", "CN=Root"))
ISSUING = pki.authority(pki.name("DC=ch", "CN=Issuing"), ROOT)
ALICE = pki.entity(pki.name("DC=ch", "CN=alice"), ISSUING)
BOB = pki.entity(pki.name("DC=ch", "CN=bob"), ISSUING)
HOUR = 3600.0


class Grid:
    """A hashed CA directory with revocation lists, and what reads it."""

    def __init__(self, path: Path, mode: CrlMode = CrlMode.IF_PRESENT, files: tuple[Path, ...] = ()) -> None:
        self.path = path
        (path / "00000001.0").write_bytes(ROOT.certificate_pem)
        (path / "00000002.0").write_bytes(ISSUING.certificate_pem)
        self.authorities = Authorities(path)
        self.lists = RevocationLists(self.authorities, mode, files)
        self.now = time.time()

    def put(self, name: str, der: bytes) -> None:
        replace(self.path / name, pem(der))

    def refresh(self) -> None:
        self.authorities.refresh()
        self.lists.refresh(self.now, lambda: None)

    def reason(self, credential: pki.Credential) -> str | None:
        found = self.lists.refusal(chain(credential, ROOT), self.now)
        return found.reason if found else None


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    grid = Grid(tmp_path)
    grid.put("00000001.r0", crl(ROOT))
    grid.put("00000002.r0", crl(ISSUING, [BOB]))
    grid.refresh()
    return grid


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


def test_a_new_list_counts_from_the_next_refresh(grid: Grid) -> None:
    generation = grid.lists.generation
    grid.refresh()
    assert grid.lists.generation == generation
    grid.put("00000002.r0", crl(ISSUING, [ALICE]))
    assert grid.reason(ALICE) is None
    grid.refresh()
    assert grid.lists.generation == generation + 1
    assert (grid.reason(ALICE), grid.reason(BOB)) == (refusal.REVOKED, None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"rubbish",
        pem(crl(ISSUING))[:150],
        pem(crl(ISSUING)).replace(b"\nM", b"\n*", 1),
        pem(crl(pki.authority(pki.name("DC=ch", "CN=Issuing")))),
        pem(crl(ISSUING, begins=dt.timedelta(days=-2), lasts=dt.timedelta(days=9))),
    ],
    ids=["empty", "rubbish", "cut off", "not base64", "wrong signature", "older"],
)
def test_a_bad_new_list_is_refused_and_the_old_one_stays(grid: Grid, content: bytes) -> None:
    generation = grid.lists.generation
    replace(grid.path / "00000002.r0", content)
    grid.refresh()
    assert (grid.reason(ALICE), grid.reason(BOB)) == (None, refusal.REVOKED)
    assert grid.lists.generation == generation
    assert len(grid.lists.errors()) == 1
    assert "00000002.r0" in grid.lists.errors()[0]
    grid.put("00000002.r0", crl(ISSUING))
    grid.refresh()
    assert (grid.reason(BOB), grid.lists.errors()) == (None, ())


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


def test_a_list_from_the_future_is_taken_when_its_time_has_come(grid: Grid) -> None:
    grid.put("00000002.r0", crl(ISSUING, [ALICE], begins=dt.timedelta(minutes=10)))
    grid.refresh()
    assert grid.reason(ALICE) is None
    grid.now += 0.2 * HOUR
    grid.refresh()
    assert (grid.reason(ALICE), grid.lists.errors()) == (refusal.REVOKED, ())


def test_a_removed_list_is_forgotten(grid: Grid) -> None:
    (grid.path / "00000002.r0").unlink()
    grid.refresh()
    assert grid.reason(BOB) is None


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


def test_only_the_list_that_changed_is_read_again(grid: Grid) -> None:
    pauses: list[int] = []
    grid.put("00000001.r0", crl(ROOT, [1]))
    grid.authorities.refresh()
    grid.lists.refresh(grid.now, lambda: pauses.append(1))
    first = len(pauses)
    grid.put("00000001.r0", crl(ROOT, [2]))
    grid.put("00000002.r0", crl(ISSUING, [BOB, 2]))
    grid.authorities.refresh()
    grid.lists.refresh(grid.now, lambda: pauses.append(1))
    assert len(pauses) == 3 * first > 0
    grid.authorities.refresh()
    grid.lists.refresh(grid.now, lambda: pauses.append(1))
    assert len(pauses) == 3 * first


def test_a_list_becomes_usable_with_its_ca(grid: Grid) -> None:
    other = pki.authority(pki.name("CN=Other"))
    grid.put("00000003.r0", crl(other))
    grid.refresh()
    assert grid.lists.errors() != ()
    (grid.path / "00000003.0").write_bytes(other.certificate_pem)
    grid.refresh()
    assert grid.lists.errors() == ()


def test_base64_is_decoded_over_chunks_and_however_lines_end(grid: Grid) -> None:
    serials = range(1 << 150, (1 << 150) + 3000)
    text = pem(crl(ISSUING, [*serials, BOB]))
    assert len(text) > BASE64_CHUNK
    for end in (b"\r\n", b"\n\n", b" \t\n", b""):
        lines = text.splitlines()
        replace(grid.path / "00000002.r0", lines[0] + b"\n" + end.join(lines[1:-1]) + b"\n" + lines[-1])
        grid.refresh()
        assert (grid.lists.errors(), grid.reason(BOB)) == ((), refusal.REVOKED)


@pytest.mark.parametrize("form", ["bundle", "der"])
def test_lists_in_a_file_of_their_own(tmp_path: Path, form: str) -> None:
    named = tmp_path / "lists"
    (tmp_path / "ca").mkdir()
    ours = crl(ISSUING, [BOB])
    named.write_bytes(pem(crl(ROOT)) + pem(ours) if form == "bundle" else ours)
    grid = Grid(tmp_path / "ca", files=(named,))
    grid.refresh()
    assert (grid.reason(ALICE), grid.reason(BOB)) == (None, refusal.REVOKED)


def test_a_bad_list_of_a_bundle_keeps_its_old_one_and_takes_the_others(tmp_path: Path) -> None:
    named = tmp_path / "lists"
    (tmp_path / "ca").mkdir()
    named.write_bytes(pem(crl(ROOT)) + pem(crl(ISSUING, [BOB])))
    grid = Grid(tmp_path / "ca", files=(named,))
    grid.refresh()
    impostor = pki.authority(pki.name("DC=ch", "CN=Issuing"))
    replace(named, pem(crl(ROOT, [ISSUING])) + pem(crl(impostor)))
    grid.refresh()
    assert {(each.entries, each.error is None) for each in grid.lists.status()} == {(1, False)}
    assert len(grid.lists.status()) == 2
    assert grid.reason(BOB) == refusal.REVOKED


def test_a_bundle_cut_off_keeps_the_old_list_of_what_is_missing(tmp_path: Path) -> None:
    named = tmp_path / "lists"
    (tmp_path / "ca").mkdir()
    both = pem(crl(ROOT)) + pem(crl(ISSUING, [BOB]))
    named.write_bytes(both)
    grid = Grid(tmp_path / "ca", files=(named,))
    grid.refresh()
    replace(named, both[:-40])
    grid.refresh()
    assert grid.reason(BOB) == refusal.REVOKED
    assert grid.lists.errors() == (f"{named} holds a list in PEM form that is not whole",)


def test_a_named_file_that_vanishes_keeps_its_lists(tmp_path: Path) -> None:
    named = tmp_path / "lists"
    (tmp_path / "ca").mkdir()
    named.write_bytes(crl(ISSUING, [BOB]))
    grid = Grid(tmp_path / "ca", files=(named,))
    grid.refresh()
    named.unlink()
    grid.refresh()
    assert grid.reason(BOB) == refusal.REVOKED
    assert grid.lists.errors() == (f"{named}: No such file or directory",)


def test_a_directory_that_vanishes_keeps_its_cas_and_lists(grid: Grid) -> None:
    grid.path.rename(grid.path.with_name("away"))
    grid.refresh()
    assert (grid.reason(ALICE), grid.reason(BOB)) == (None, refusal.REVOKED)
    assert grid.authorities.trusted.errors != {}
    grid.path.with_name("away").rename(grid.path)
    grid.refresh()
    assert grid.authorities.trusted.errors == {}


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
