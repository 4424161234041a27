"""Logging: lines that cannot be forged, files that rotate."""

import contextlib
import json
import logging
import shutil

import pytest

from rcmon import log
from rcmon.errors import ConfigError


@pytest.fixture(autouse=True)
def restored():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    yield
    for handler in root.handlers:
        with contextlib.suppress(OSError):  # of a disk that is full still
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_message_cannot_forge_a_line(tmp_path):
    file = tmp_path / "log"
    log.set_up("info", "text", str(file))
    logging.getLogger("rcmon.x").info("evil %s", "a\nb\x1b[31m\x00")
    (line,) = file.read_text().splitlines()
    assert line.endswith("rcmon.x: evil a\\nb\\x1b[31m\\x00")


def test_json_lines_are_json(tmp_path):
    file = tmp_path / "log"
    log.set_up("info", "json", str(file))
    try:
        int("boom")
    except ValueError:
        logging.getLogger("rcmon.x").exception('say "%s"', "ü")
    entry = json.loads(file.read_text())
    assert entry["message"] == 'say "ü"'
    assert entry["level"] == "error"
    assert "ValueError: invalid literal" in entry["exception"]


def test_a_full_file_rotates_and_only_some_are_kept(tmp_path):
    file = tmp_path / "log"
    log.set_up("info", "text", str(file), rotate_size=200, rotate_keep=2)
    for number in range(50):
        logging.getLogger("rcmon.x").info("line %d", number)
    assert {path.name for path in tmp_path.iterdir()} == {"log", "log.1", "log.2", "log.lock"}
    kept = "".join((tmp_path / name).read_text() for name in ("log.2", "log.1", "log"))
    numbers = [int(line.rsplit(" ", 1)[1]) for line in kept.splitlines()]
    assert numbers == list(range(numbers[0], 50))


def test_finished_lines_go_the_same_way_and_rotate_too(tmp_path):
    file = tmp_path / "log"
    write = log.set_up("info", "text", str(file), rotate_size=200, rotate_keep=2)
    for number in range(100):
        write(f"line {number}\n")
    assert {path.name for path in tmp_path.iterdir()} == {"log", "log.1", "log.2", "log.lock"}
    assert (tmp_path / "log.1").read_text().splitlines()[-1].startswith("line ")


def test_finished_lines_go_to_standard_error(capsys):
    log.set_up("info", "text", None)("line\n")
    assert capsys.readouterr().err == "line\n"


def test_a_file_moved_away_is_reopened(tmp_path):
    file = tmp_path / "log"
    log.set_up("info", "text", str(file))
    logging.getLogger("rcmon.x").info("one")
    file.rename(tmp_path / "old")
    logging.getLogger("rcmon.x").info("two")
    assert "two" in file.read_text()


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(ConfigError, match="--log-file"):
        log.set_up("info", "text", str(tmp_path / "none" / "log"))


def test_a_full_disk_costs_the_lines_and_is_told_once(tmp_path, capsys):
    told = []
    (tmp_path / "log").symlink_to("/dev/full")
    write = log.set_up("info", "text", str(tmp_path / "log"))
    log.tell_trouble(told.append)
    for number in range(3):
        logging.getLogger("rcmon.x").info("line %d", number)
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    assert "rcmon: the log cannot be written: [Errno 28] No space left on device" in said
    assert set(told) == {"the log cannot be written: [Errno 28] No space left on device"}
    with pytest.raises(OSError, match="No space"):
        write("line\n")


def test_a_log_whose_directory_goes_and_comes_back_goes_on(tmp_path, capsys):
    """It raised out of whatever wrote a line, and so ended a process that had nothing to do with it."""
    told = []
    place = tmp_path / "logs"
    place.mkdir()
    log.set_up("info", "text", str(place / "log"), rotate_size=1000)
    log.tell_trouble(told.append)
    logging.getLogger("rcmon.x").info("one")
    shutil.rmtree(place)
    for _ in range(2):
        logging.getLogger("rcmon.x").info("lost")
    assert "No such file" in told[-1]
    place.mkdir()
    logging.getLogger("rcmon.x").info("two")
    assert told[-1] is None
    text = (place / "log").read_text()
    assert "rcmon.x: two" in text
    assert "up to 2 lines were lost" in text
    assert capsys.readouterr().err.count("\n") == 1


def test_a_call_whose_arguments_do_not_fit_ends_nothing(tmp_path, capsys):
    log.set_up("info", "text", str(tmp_path / "log"))
    logging.getLogger("rcmon.x").info("%d", "no number")
    assert "Logging error" in capsys.readouterr().err
