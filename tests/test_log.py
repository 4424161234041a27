"""Logging: lines that cannot be forged, files that rotate."""

import contextlib
import json
import logging
import os
import re
import shutil
import signal

import pytest

from rcmon import log
from rcmon.errors import ConfigError

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


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


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_with_a_name_that_is_no_utf_8_is_not_lost(tmp_path, form):
    file = tmp_path / "log"
    log.set_up("info", form, str(file))
    logging.getLogger("rcmon.x").error("refused: %s", "h\udcff.lsc", exc_info=ValueError("of \udcfe"))
    lines = file.read_text()
    if form == "json":
        entry = json.loads(lines)
        lines = entry["message"] + entry["exception"]
    assert r"refused: h\udcff.lsc" in lines
    assert r"of \udcfe" in lines


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
        write([f"line {number}\n"])
    assert {path.name for path in tmp_path.iterdir()} == {"log", "log.1", "log.2", "log.lock"}
    assert (tmp_path / "log.1").read_text().splitlines()[-1].rpartition("Z ")[2].startswith("line ")


def test_finished_lines_go_to_standard_error(capsys):
    log.set_up("info", "text", None)(["line\n", "another\n"])
    first, second = capsys.readouterr().err.splitlines()
    assert re.fullmatch(rf"{STAMP} line", first)
    assert second == first.replace("line", "another")


def test_finished_lines_are_json_too(capsys):
    log.set_up("info", "json", None)(['"a":1}\n', '"a":2}\n'])
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [entry["a"] for entry in entries] == [1, 2]
    assert all(re.fullmatch(STAMP, entry["time"]) for entry in entries)


@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_of_several_processes_stand_in_the_order_of_time(tmp_path, form):
    """Both ways of writing, by processes that share nothing but what was made before the fork."""
    file = tmp_path / "log"
    write = log.set_up("info", form, str(file))
    children = []
    for number in range(3):
        if (child := os.fork()) == 0:
            for line in range(300):
                write([f'"child":{number},"line":{line}}}\n'] * 3)
                logging.getLogger("rcmon.x").info("child %d line %d", number, line)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 3
    times = re.findall(STAMP, file.read_text())
    assert len(times) == 3 * 300 * 4
    assert times == sorted(times)


def test_one_that_has_the_turn_and_stops_holds_nobody_up(tmp_path):
    file = tmp_path / "log"
    write = log.set_up("info", "text", str(file))
    turns = logging.getLogger().handlers[0].turns
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with turns.turn():
            os.write(tell, b"x")
            os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    os.read(told, 1)
    try:
        write(["meanwhile\n"])
        assert "meanwhile" in file.read_text()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(told)
        os.close(tell)
    assert turns._take()  # the kernel gave it back


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
