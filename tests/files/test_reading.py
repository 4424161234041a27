"""Files are read whole, within bounds, with the right permissions, and whatever is wrong is named."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rcmon.errors import ConfigError
from rcmon.files.reading import ANY, OWN, SECRET, FileError, Rights, parse_toml, read_bounded, read_text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("one")
    path.chmod(0o600)
    return path


def by(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.write_text("01234567890"), "is larger than 10 octets"),
        (lambda path: os.truncate(path, 1 << 40), "is larger than 10 octets"),
        (lambda path: path.unlink(), "cannot be read: No such file or directory"),
        (by(lambda path: path.mkdir()), "cannot be read: Is a directory"),
        (by(os.mkfifo), "is no regular file"),
        (by(lambda path: path.symlink_to("/dev/zero")), "is no regular file"),
        (by(lambda path: path.symlink_to(path.name)), "cannot be read: Too many levels of symbolic links"),
        (by(lambda path: path.symlink_to("/proc/self/mem")), "cannot be read: Input/output error"),
    ],
    ids=["long", "huge", "gone", "directory", "pipe", "device", "link to itself", "I/O error"],
)
def test_what_cannot_be_read_is_named_at_once(
    spoil: Callable[[Path], object], complaint: str, path: Path
) -> None:
    spoil(path)
    with pytest.raises(FileError) as caught:
        read_bounded(path, 10)
    assert str(caught.value) == f"{path}: {complaint}"


@pytest.mark.parametrize(
    ("rights", "mode", "remedy"),
    [
        (ANY, 0o666, None),
        (OWN, 0o644, None), (OWN, 0o664, "chmod go-w"), (OWN, 0o602, "chmod go-w"),
        (SECRET, 0o600, None), (SECRET, 0o440, None),
        (SECRET, 0o604, "chmod 600"), (SECRET, 0o620, "chmod 600"),
    ],
)  # fmt: skip
def test_permissions_that_are_too_wide_are_refused_with_the_remedy(
    rights: Rights, mode: int, remedy: str | None, path: Path
) -> None:
    path.chmod(mode)
    if remedy is None:
        assert read_bounded(path, 10, rights) == b"one"
    else:
        with pytest.raises(FileError, match=rf"\(mode {mode:04o}\); do: {remedy} {path}"):
            read_bounded(path, 10, rights)


@pytest.mark.parametrize("text", ["ä", "\ufeffä"])
def test_a_mark_before_the_text_is_no_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
    assert read_text(path, 10) == "ä"


@pytest.mark.parametrize("content", [b"ab\xff", "ä".encode("utf-16"), b"\xc3"])
def test_text_of_another_encoding_is_named(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(FileError, match=f"{path}: is not UTF-8: octet 0x"):
        read_text(path, 10)


def test_toml_may_begin_with_a_mark() -> None:
    assert parse_toml("\ufeffa = 1") == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        "a = ",
        "a = 1\na = 2",
        "\x00",
        "a = [" * 5000,
        "a = " + "[" * 100_000,
        "a = " + "1" * 10_000,
        "a = 2026-13-01",
    ],
    ids=["cut", "twice", "NUL", "keys", "deep", "digits", "date"],
)
def test_whatever_is_wrong_with_toml_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(ConfigError, match="TOML"):
        parse_toml(text)
