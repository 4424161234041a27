"""When a file counts as changed: whenever anything about it is, whatever its times were set to."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rcmon.files import stamp as module
from rcmon.files.stamp import stamp_of


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits until files are settled in a test."""
    monkeypatch.setattr(module, "_SETTLED", 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("one")
    return path


def same_size_and_mtime(path: Path) -> None:
    """As `rsync --inplace --times` writes, or an editor and `touch -r`."""
    before = path.stat()
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(path: Path) -> None:
    same = path.stat()
    beside = path.with_name("beside")
    beside.write_text("two")
    os.utime(beside, ns=(same.st_atime_ns, same.st_mtime_ns))
    beside.rename(path)


def by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def there_and_back(path: Path) -> None:
    gone = path.with_name("gone")
    path.rename(gone)
    assert stamp_of(path)
    gone.rename(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "longer": lambda path: path.write_text("three"),
    "the same size and time": same_size_and_mtime,
    "replaced by one of the same size and time": replaced,
    "an older time": lambda path: os.utime(path, (0, 0)),
    "a time in the future": lambda path: os.utime(path, (0, time.time() + 1e9)),
    "other permissions": lambda path: path.chmod(0o600),
    "gone": lambda path: path.unlink(),
    "a directory": by_directory,
    "gone and back": there_and_back,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_happens_to_a_file_it_looks_different_then(
    change: Callable[[Path], object], path: Path
) -> None:
    before = stamp_of(path)
    assert stamp_of(path) == before
    _tick(path)
    change(path)
    assert stamp_of(path) != before
    assert stamp_of(path) == stamp_of(path)


def _tick(path: Path) -> None:
    """Wait until the clock of the file system has moved on: some milliseconds."""
    probe, before = path.with_name("probe"), path.stat().st_ctime_ns
    while True:
        probe.write_text("")
        if probe.stat().st_ctime_ns > before:
            return


def test_a_link_that_is_switched_is_another_file(tmp_path: Path) -> None:
    """Kubernetes switches the link `..data` of a mounted ConfigMap or Secret."""
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "file").write_text("same")
        os.utime(tmp_path / version / "file", (1, 1))
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "file").symlink_to("..data/file")
    before = stamp_of(tmp_path / "file")
    (tmp_path / "..new").symlink_to("two")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert stamp_of(tmp_path / "file") != before


@pytest.mark.parametrize("mtime", [0.0, 1.0, 2e9, 4e9])
def test_what_was_written_this_moment_never_looks_like_itself(
    mtime: float, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writes within one tick of the clock look alike, whatever the file's mtime was set to."""
    monkeypatch.setattr(module, "_SETTLED", 3600 * 10**9)
    path.write_text("one")
    os.utime(path, (mtime, mtime))
    assert stamp_of(path) != stamp_of(path)
