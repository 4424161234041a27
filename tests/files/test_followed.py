"""When a file counts as changed, and what a broken value does."""

import os
import time
from pathlib import Path

import pytest

from rcmon.errors import ConfigError
from rcmon.files.followed import Followed, look


def age(path: Path, seconds: float) -> None:
    then = time.time_ns() - int(seconds * 1e9)
    os.utime(path, ns=(then, then))


def test_a_file_looks_like_itself_once_it_is_settled(tmp_path: Path) -> None:
    """The clock of files ticks some milliseconds apart: what was written this moment may be written again."""
    path = tmp_path / "file"
    path.write_text("a")
    assert look(path) != look(path)
    age(path, 10)
    assert look(path) == look(path)


def test_a_file_looks_different_when_anything_about_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    seen = [look(path)]
    path.write_text("a")
    age(path, 10)
    seen.append(look(path))
    age(path, 20)
    seen.append(look(path))
    path.write_text("ab")
    age(path, 20)
    seen.append(look(path))
    path.chmod(0o600)
    seen.append(look(path))
    other = tmp_path / "other"
    other.write_text("ab")
    age(other, 20)
    other.chmod(0o600)
    other.rename(path)
    seen.append(look(path))
    assert len(set(seen)) == len(seen)


def test_a_value_is_loaded_again_only_when_its_stamp_differs() -> None:
    stamp, loads = [1], []
    followed = Followed(lambda: stamp[0], lambda current: loads.append(current) or len(loads))  # type: ignore[func-returns-value]
    assert (followed.value, followed.refresh(), loads) == (1, None, [None])
    stamp[0] = 2
    assert (followed.refresh(), followed.value, loads) == (True, 2, [None, 1])
    assert followed.refresh() is None


def test_an_equal_value_is_nothing_new() -> None:
    stamp = [1]
    followed = Followed(lambda: stamp[0], lambda _: "same")
    stamp[0] = 2
    assert followed.refresh() is None


def test_the_first_error_is_raised_and_later_ones_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    stamp, error = [1], ["first"]

    def load(current: int | None) -> int:
        if error[0]:
            raise ConfigError(error[0])
        return stamp[0]

    with pytest.raises(ConfigError, match="first"):
        Followed(lambda: stamp[0], load)
    error[0] = ""
    followed = Followed(lambda: stamp[0], load)
    outcomes = []
    for stamp[0], error[0] in [(2, "x"), (3, "x"), (4, "y"), (5, ""), (6, "x")]:
        outcomes.append(followed.refresh())
    assert outcomes == [False, None, False, True, False]
    assert followed.value == 5
    assert [record.getMessage().split(";")[0] for record in caplog.records] == ["x", "y", "x"]
