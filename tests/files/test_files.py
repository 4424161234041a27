"""Files that are read again when they change, and whose last good content outlives a bad one."""

from pathlib import Path

import pytest

from rcmon.files.parsed import FileError, ParsedFiles, mark, read_bounded


class Reading:
    """A parser that counts, and fails where the file says so or the test does."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False

    def __call__(self, path: Path) -> str:
        self.count += 1
        content = read_bounded(path, 10).decode()
        if self.fails or content == "bad":
            raise FileError(f"{path.name} is bad")
        return content


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("one")
    return path


def test_a_file_is_read_once_for_each_change(path: Path) -> None:
    reading = Reading()
    files = ParsedFiles(reading)
    for content, count in (("one", 1), ("one", 1), ("three", 2), ("three", 2)):
        if path.read_text() != content:
            path.write_text(content)
        files.refresh({path: mark(path)})
        assert (files.loaded[path].value, reading.count) == (content, count)


def test_the_last_good_content_outlives_a_bad_one(path: Path) -> None:
    files = ParsedFiles(Reading())
    files.refresh({path: mark(path)})
    path.write_text("bad")
    files.refresh({path: mark(path)})
    assert (files.loaded[path].value, files.loaded[path].error) == ("one", "file is bad")
    path.write_text("good")
    files.refresh({path: mark(path)})
    assert (files.loaded[path].value, files.loaded[path].error) == ("good", None)


def test_what_was_wrong_is_tried_again_though_the_file_looks_the_same(path: Path) -> None:
    """As after a change of its permissions."""
    reading = Reading()
    reading.fails = True
    files = ParsedFiles(reading)
    files.refresh({path: mark(path)})
    assert files.loaded[path].value is None
    reading.fails = False
    files.refresh({path: mark(path)})
    assert (files.loaded[path].value, files.loaded[path].error) == ("one", None)


def test_a_file_that_is_gone_is_forgotten(path: Path) -> None:
    files = ParsedFiles(Reading())
    files.refresh({path: mark(path)})
    files.refresh({})
    assert files.loaded == {}


def test_what_is_too_long_or_not_there_is_named(path: Path, tmp_path: Path) -> None:
    path.write_text("01234567890")
    with pytest.raises(FileError, match="file holds more than 10 octets"):
        read_bounded(path, 10)
    with pytest.raises(FileError, match="nowhere: No such file or directory"):
        read_bounded(tmp_path / "nowhere", 10)
