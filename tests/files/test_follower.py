"""Values that follow files: the last good one outlives a bad one, which is tried again until it is good."""

import logging
from pathlib import Path

import pytest

from rcmon.errors import ConfigError
from rcmon.files.follower import FileSet, Follower
from rcmon.files.reading import FileError, read_bounded
from rcmon.files.reloads import Reloads
from rcmon.files.stamp import stamp_of


class Loading:
    """A value with a stamp, both as the test sets them; fails where there is an error."""

    def __init__(self) -> None:
        self.stamp, self.value, self.error, self.count = 1, "first", "", 0
        self.broken = False

    def __call__(self, current: str | None) -> str:
        self.count += 1
        if self.broken:
            raise ZeroDivisionError("nobody")
        if self.error:
            raise ConfigError(self.error)
        return self.value

    def follower(self) -> Follower[str]:
        return Follower("value", lambda: self.stamp, self)


@pytest.fixture
def loading() -> Loading:
    return Loading()


def test_a_value_is_loaded_again_only_when_its_stamp_differs(loading: Loading) -> None:
    follower = loading.follower()
    assert (follower.value, follower.refresh(), loading.count) == ("first", None, 1)
    loading.stamp, loading.value = 2, "second"
    assert (follower.refresh(), follower.value, loading.count) == (True, "second", 2)
    assert (follower.refresh(), loading.count) == (None, 2)


def test_an_equal_value_is_nothing_new(loading: Loading) -> None:
    follower = loading.follower()
    loading.stamp = 2
    assert follower.refresh() is None


def test_the_first_error_is_raised(loading: Loading) -> None:
    loading.error = "wrong"
    with pytest.raises(ConfigError, match="wrong"):
        loading.follower()


def test_what_was_refused_is_tried_again_though_it_looks_the_same(loading: Loading) -> None:
    """What was missing may stand in another file, and what the clock refused it may allow."""
    follower = loading.follower()
    loading.stamp, loading.error = 2, "the password file is missing"
    assert [follower.refresh() for _ in range(3)] == [False, None, None]
    assert follower.reloads.reason == "the password file is missing"
    assert (follower.value, loading.count) == ("first", 4)
    loading.error, loading.value = "", "second"
    assert [follower.refresh() for _ in range(3)] == [True, None, None]
    assert (follower.reloads.reason, follower.value, loading.count) == (None, "second", 5)


def test_what_was_refused_may_be_undone(loading: Loading) -> None:
    """The old file is put back: nothing new, but good again."""
    follower = loading.follower()
    loading.stamp, loading.error = 2, "wrong"
    assert follower.refresh() is False
    loading.stamp, loading.error = 3, ""
    assert [follower.refresh(), follower.refresh()] == [True, None]


def test_whoever_asks_is_told_again(loading: Loading, caplog: pytest.LogCaptureFixture) -> None:
    follower = loading.follower()
    loading.error = "wrong"
    assert [follower.refresh(), follower.refresh(again=True), follower.refresh()] == [None, False, None]
    assert follower.refresh(again=True) is False
    assert len(caplog.records) == 2


def test_each_error_and_the_end_of_all_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reloads = Reloads("lists")
    outcomes = [
        reloads.tell(errors, news=news)
        for errors, news in [
            ((), False), ((), True), (["a"], False), (["a"], False), (["a"], True), (["a", "b"], True),
            (["b"], False), (["b"], False), ((), False), ((), False),
        ]
    ]  # fmt: skip
    assert outcomes == [None, True, False, None, True, False, True, None, True, None]
    assert [record.getMessage() for record in caplog.records] == [
        "lists refused: a; what was good before stays in use",
        "lists refused: b; what was good before stays in use",
        "lists: what was refused is good now, and in use",
    ]


def test_an_error_that_nobody_expected_is_a_refusal_too(
    loading: Loading, caplog: pytest.LogCaptureFixture
) -> None:
    follower = loading.follower()
    good, loading.stamp, loading.broken = follower.value, 2, True
    assert [follower.refresh(), follower.refresh()] == [False, None]
    assert follower.value == good
    assert follower.reloads.reason == "fails unexpectedly with ZeroDivisionError; the log says more"
    assert caplog.text.count("Traceback") == 1
    loading.broken = False
    assert follower.refresh() is True


def test_one_file_of_several_that_fails_as_nobody_expected_costs_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def parse(path: Path) -> str:
        if path.read_text() == "bad":
            raise ZeroDivisionError("nobody")
        return path.read_text()

    paths = [tmp_path / name for name in "ab"]
    files = FileSet(parse)
    for texts in (("one", "two"), ("bad", "three"), ("bad", "three")):
        for path, written in zip(paths, texts, strict=True):
            path.write_text(written)
        files.refresh({path: stamp_of(path) for path in paths})
    assert files.values() == {paths[0]: "one", paths[1]: "three"}
    (error,) = files.errors().values()
    assert error == f"{paths[0]}: fails unexpectedly with ZeroDivisionError; the log says more"
    assert caplog.text.count("Traceback") == 1


def test_what_is_told_of_a_file_can_be_encoded_whatever_its_name(caplog: pytest.LogCaptureFixture) -> None:
    reloads = Reloads("lists")
    reloads.warn(["h\udcff.lsc has loose ends"])
    reloads.tell(["h\udcff.lsc: is no list"], news=False)
    assert reloads.reason == r"h\udcff.lsc: is no list"
    assert reloads.warnings == (r"h\udcff.lsc has loose ends",)
    caplog.text.encode()


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


def test_a_file_is_read_once_for_each_stamp(path: Path) -> None:
    reading = Reading()
    files = FileSet(reading)
    for content, stamp, count in (("one", (1,), 1), ("one", (1,), 1), ("three", (2,), 2), ("three", (2,), 2)):
        path.write_text(content)
        files.refresh({path: stamp})
        assert (files.values(), reading.count) == ({path: content}, count)


def test_the_last_good_content_outlives_a_bad_one(path: Path) -> None:
    files = FileSet(Reading())
    for content, error in (("one", None), ("bad", "file is bad"), ("good", None)):
        path.write_text(content)
        files.refresh({path: stamp_of(path)})
        assert files.errors() == ({path: error} if error else {})
        assert files.values() == {path: "one" if error else content}


def test_what_was_wrong_with_one_file_is_tried_again_though_it_looks_the_same(path: Path) -> None:
    reading = Reading()
    reading.fails = True
    files = FileSet(reading)
    files.refresh({path: (1,)})
    assert (files.values(), files.errors()) == ({}, {path: "file is bad"})
    reading.fails = False
    files.refresh({path: (1,)})
    assert (files.values(), files.errors()) == ({path: "one"}, {})


def test_a_file_that_is_gone_is_forgotten(path: Path) -> None:
    files = FileSet(Reading())
    files.refresh({path: stamp_of(path)})
    files.refresh({})
    assert files.values() == {}
