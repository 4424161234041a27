"""Revocation lists follow their files: good content at once, bad content never."""

import datetime as dt
from pathlib import Path

import pytest

from rcmon.access.authority import refusal
from rcmon.access.authority.crl.files import BASE64_CHUNK
from tests.access import pki
from tests.access.crl_grid import ALICE, BOB, HOUR, ISSUING, ROOT, Grid, two_lists
from tests.access.crl_pki import crl, pem, replace


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    return two_lists(tmp_path)


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


def test_only_the_list_that_changed_is_read_again(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rcmon.files.stamp._SETTLED", 0)
    grid.refresh()
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
    assert grid.lists.errors() == (f"{named}: cannot be read: No such file or directory",)


def test_a_directory_that_vanishes_keeps_its_cas_and_lists(grid: Grid) -> None:
    grid.path.rename(grid.path.with_name("away"))
    grid.refresh()
    assert (grid.reason(ALICE), grid.reason(BOB)) == (None, refusal.REVOKED)
    assert grid.authorities.trusted.errors != {}
    grid.path.with_name("away").rename(grid.path)
    grid.refresh()
    assert grid.authorities.trusted.errors == {}
