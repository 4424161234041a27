"""What a process has and had in use, compared with another's."""

import os
from pathlib import Path

import pytest
from msgspec import structs

from rcmon.access.versions import KINDS, Versions
from tests.access import pki
from tests.access.crl_pki import replace
from tests.access.place import ALICE, OTHER, ROOT, Place
from tests.process.running import exit_code_of


def test_it_knows_what_it_held_and_nothing_else() -> None:
    versions, other = Versions(), Versions()
    for in_use in ("first", "second", "third"):
        versions.note(dict.fromkeys(KINDS, in_use))
    for in_use in ("second", "another"):
        other.note(dict.fromkeys(KINDS, in_use))
        for kind in KINDS:
            assert versions.never_held(kind, other.marks()) is (in_use == "another")
    assert not any(versions.never_held(kind, [0.0] * 8) for kind in KINDS)


def test_of_versions_without_end_the_newest_are_remembered() -> None:
    versions = Versions()
    for number in range(3000):
        versions.note(dict.fromkeys(KINDS, number))
    other = Versions()
    for number in (2999, 2001, 1000):
        other.note(dict.fromkeys(KINDS, number))
        assert versions.never_held("roles", other.marks()) is (number == 1000)


def test_every_kind_of_files_has_a_version(tmp_path: Path) -> None:
    trust = Place(tmp_path).trust()
    assert set(trust.troubles()) == set(KINDS)
    assert all(trust.versions.marks())


def test_a_child_tells_its_versions_as_its_parent_does(tmp_path: Path) -> None:
    """They are hashes, salted once for each interpreter."""
    place = Place(tmp_path)
    trust = place.trust()
    read, write = os.pipe()
    assert exit_code_of(lambda: os.write(write, repr(place.trust().versions.marks()).encode()) * 0) == 0
    assert os.read(read, 1000).decode() == repr(trust.versions.marks())
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("kind", ["roles", "authorities", "signing_policy", "crl", "voms"])
def test_a_change_of_a_file_is_another_version_and_none_without(tmp_path: Path, kind: str) -> None:
    place = Place(tmp_path)
    place.revoke()
    pki.add_to_directory(place.cas, ROOT, allowed="/DC=ch/*")
    lsc = tmp_path / "vo" / "host.lsc"
    lsc.parent.mkdir()
    lsc.write_text("/CN=server\n/DC=ch/CN=CA\n")
    place.files = structs.replace(place.files, vomsdir=lsc.parent.parent)
    trust = place.trust()
    before = trust.versions.marks()
    trust.follow(again=True)
    assert trust.versions.marks() == before
    if kind == "roles":
        place.grant("dn:/DC=ch/CN=bob")
    elif kind == "crl":
        place.revoke(ALICE)
    elif kind == "signing_policy":
        pki.add_to_directory(place.cas, ROOT, allowed="/DC=org/*")
    elif kind == "voms":
        lsc.write_text("/CN=another\n/DC=ch/CN=CA\n")
    else:
        replace(place.cas / "00000000.0", OTHER.certificate_pem)
    trust.follow()
    changed = {
        name for name, old, new in zip(KINDS, before, trust.versions.marks(), strict=True) if old != new
    }
    assert changed == ({kind, "tls"} if kind == "authorities" else {kind})


def test_what_is_refused_is_no_version(tmp_path: Path) -> None:
    place = Place(tmp_path)
    trust = place.trust()
    before = trust.versions.marks()
    place.files.roles.write_text("broken")
    trust.follow()
    assert trust.versions.marks() == before
