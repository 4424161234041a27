"""Whatever becomes of a file that is followed: what was good stays, status can name it, and it recovers."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from rcmon.access.handshake.tls import verified_chain
from rcmon.access.trust import Trust
from rcmon.errors import IdentityError
from tests.access import pki
from tests.access.crl_pki import replace
from tests.access.place import ALICE, OTHER, ROOT, Place
from tests.access.test_reload import connect

Spoil = Callable[[Path], object]


def by(make: Spoil) -> Spoil:
    """Put something else in the file's place."""

    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


def half_written(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


SPOILS: dict[str, Spoil] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "half written": half_written,
    "a directory": by(lambda path: path.mkdir()),
    "a pipe": by(os.mkfifo),
    "a link to nowhere": by(lambda path: path.symlink_to("nowhere")),
    "a link to itself": by(lambda path: path.symlink_to(path.name)),
    "endless": by(lambda path: path.symlink_to("/dev/zero")),
    "huge": lambda path: os.truncate(path, 1 << 40),
    "NUL octets": lambda path: path.write_bytes(bytes(1000)),
    "Latin-1": lambda path: path.write_bytes(b"\xe9\xff" * 10),
    "deep": lambda path: path.write_text("a = " + "[" * 20_000),
    "another kind": lambda path: path.write_text(
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    ),
}
FILES = ["roles", "certificate", "key", "authorities", "crl", "signing_policy", "voms"]
FORGOTTEN = {"gone", "a link to nowhere"}
"""What takes a file out of a directory: for those that need not be there, as if it had never been."""


class Followed:
    """A service with a file of every kind that is followed, and ALICE as a reader."""

    def __init__(self, directory: Path) -> None:
        place = Place(directory)
        place.revoke()
        pki.add_to_directory(place.cas, ROOT, allowed="/DC=ch/*")
        pki.add_to_directory(place.cas, OTHER, allowed="/DC=org/*")
        voms = directory / "vomsdir" / "cms" / "voms.example.org.lsc"
        voms.parent.mkdir(parents=True)
        voms.write_text("/DC=ch/CN=voms.example.org\n/DC=ch/CN=CA\n")
        self.trust = Trust(structs.replace(place.files, vomsdir=directory / "vomsdir"))
        self.paths = {
            "roles": place.files.roles,
            "certificate": place.files.certificate,
            "key": place.files.key,
            "authorities": place.ca_file,
            "crl": place.ca_file.with_suffix(".r0"),
            "signing_policy": place.ca_file.with_suffix(".signing_policy"),
            "voms": voms,
        }

    def alice(self) -> set[str] | str:
        """Give ALICE's roles, or why she is refused."""
        try:
            identity = self.trust.gate.admit(verified_chain(connect(self.trust, ALICE)) or ())
        except IdentityError as error:
            return error.reason
        return set(self.trust.gate.decide(identity, time.time()).roles)

    def in_trouble(self) -> set[str]:
        return {what for what, reason in self.trust.troubles().items() if reason}


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path)


def as_a_link(path: Path) -> Callable[[bytes], object]:
    """Have a file stand where Kubernetes puts it, and give what switches it to new content."""
    versions = path.with_name(path.name + ".versions")
    versions.mkdir()

    def switch(content: bytes) -> None:
        number = len(list(versions.iterdir()))
        (versions / str(number)).mkdir(mode=0o700)
        (versions / str(number) / "file").write_bytes(content)
        (versions / str(number) / "file").chmod(0o600)
        (versions / "new").symlink_to(str(number))
        (versions / "new").rename(versions / "..data")

    switch(path.read_bytes())
    path.unlink()
    path.symlink_to(versions / "..data" / "file")
    return switch


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("what", FILES)
async def test_a_spoilt_file_costs_nothing_and_is_taken_up_when_it_is_right(
    what: str, spoil: str, followed: Followed
) -> None:
    path, kind = followed.paths[what], "tls" if what in {"certificate", "key"} else what
    good = shutil.copy2(path, path.with_name("good"))
    assert (followed.alice(), followed.in_trouble()) == ({"reader"}, set())
    SPOILS[spoil](path)
    for _ in range(3):
        outcomes = await followed.trust.check()
    forgotten = spoil in FORGOTTEN and what in {"authorities", "crl", "signing_policy", "voms"}
    if not forgotten:
        assert (followed.alice(), followed.in_trouble(), outcomes) == ({"reader"}, {kind}, [])
        assert await followed.trust.check(again=True) == [(kind, False)]
        assert str(path) in str(followed.trust.troubles()[kind])
    if path.is_dir():
        path.rmdir()
    Path(good).rename(path)
    outcomes = await followed.trust.check()
    assert (followed.alice(), followed.in_trouble()) == ({"reader"}, set())
    assert (kind, True) in outcomes
    assert (kind, False) not in outcomes


@pytest.mark.parametrize("mtime", [0.0, 4e9], ids=["past", "future"])
async def test_no_time_of_a_file_hides_its_change(mtime: float, followed: Followed) -> None:
    path = followed.paths["roles"]
    text, other = path.read_text(), path.read_text().replace("alice", "carol")
    for content, roles in [(text, {"reader"}), (other, set()), (text, {"reader"})]:
        path.write_text(content)
        os.utime(path, (mtime, mtime))
        await followed.trust.check()
        assert followed.alice() == roles


async def test_a_link_that_is_switched_is_a_change(followed: Followed) -> None:
    path = followed.paths["roles"]
    text, switch = path.read_bytes(), as_a_link(path)
    await followed.trust.check()
    for content, roles in [(text.replace(b"alice", b"carol"), set()), (b"broken", set()), (text, {"reader"})]:
        switch(content)
        await followed.trust.check()
        assert followed.alice() == roles
        assert followed.in_trouble() == ({"roles"} if content == b"broken" else set())


async def test_half_a_bundle_of_cas_is_no_bundle(tmp_path: Path) -> None:
    """What is written now lacks its end: its CAs must not be distrusted for that moment."""
    place = Place(tmp_path)
    bundle = tmp_path / "bundle.pem"
    whole = OTHER.certificate_pem + ROOT.certificate_pem
    bundle.write_bytes(whole)
    trust = Trust(structs.replace(place.files, authorities=bundle))
    replace(bundle, whole[:-100])
    assert await trust.check() == [("authorities", False)]
    assert verified_chain(connect(trust, ALICE))
    replace(bundle, whole)
    assert await trust.check() == [("authorities", True)]
