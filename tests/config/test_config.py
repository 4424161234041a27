"""The configuration: precedence, and one clear line for whatever is wrong."""

import tomllib
from pathlib import Path

import pytest

from rcmon.config import config
from rcmon.config.options import OPTIONS
from rcmon.errors import ConfigError

PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Stand in a directory without a conf/rcmon.toml."""
    monkeypatch.chdir(tmp_path)


def load(*arguments, **environment):
    return config.load(arguments, environment, "1.2.3")


def write(text):
    path = Path("some.toml")
    path.write_text(text)
    return str(path)


def test_defaults_stand_where_nothing_is_said():
    made = load()
    assert (made.host, made.port, made.workers, made.cycle_interval) == ("0.0.0.0", 5000, 0, 60.0)
    assert set(made.origins.values()) == {"default"}


def test_command_line_wins_over_environment_over_file_over_default():
    file = write("[server]\nhost = 'file'\nport = 1\nworkers = 1\n")
    made = load("--config", file, "--port", "3", RCMON_PORT="2", RCMON_WORKERS="2")
    assert (made.port, made.workers, made.host) == (3, 2, "file")
    assert made.origins["port"] == "command line"
    assert made.origins["workers"] == "environment RCMON_WORKERS"
    assert made.origins["host"] == "file some.toml"
    assert made.origins["state_dir"] == "default"


def test_the_default_file_is_read_where_it_stands_and_not_beside_a_named_one():
    config.DEFAULT_FILE.parent.mkdir()
    config.DEFAULT_FILE.write_text("[server]\nport = 7\nworkers = 7\n")
    assert load().port == 7
    assert load("--config", write("[server]\nport = 8\n")).workers == 0
    assert load(RCMON_CONFIG=write("[server]\nport = 9\n")).port == 9


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--port", "x"], {}, ["--port", "command line", "'x'", "0 to 65535"]),
        (["--port", "65536"], {}, ["--port", "'65536'", "0 to 65535"]),
        (["--cycle-interval", "nan"], {}, ["--cycle-interval", "'nan'", "seconds"]),
        (["--tls-crl", "maybe"], {}, ["--tls-crl", "'maybe'", "require, if-present, off"]),
        (["--prot", "5"], {}, ["--prot", "did you mean --port?"]),
        (["--tls-cert"], {}, ["--tls-cert", "expected one argument"]),
        (["stray"], {}, ["stray"]),
        (["--config", "none.toml"], {}, ["--config", "'none.toml'"]),
        (["--config"], {}, ["--config", "file"]),
        (["--synthetic", "1x1"], {}, ["--synthetic", "--demo"]),
        ([], {"RCMON_PROT": "5"}, ["RCMON_PROT", "did you mean RCMON_PORT?"]),
        ([], {"RCMON_PORT": "5 0"}, ["--port", "environment RCMON_PORT", "'5 0'"]),
        ([], {"RCMON_DEMO": "perhaps"}, ["--demo", "RCMON_DEMO", "true or false"]),
        ([], {"RCMON_DATABASE": "not a url:secret"}, ["--database", "URL"]),
        (["--roles-file", ""], {}, ["--roles-file", "not empty"]),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_what_is_right(arguments, environment, words):
    with pytest.raises(ConfigError) as caught:
        load(*arguments, **environment)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sever]\nport = 1\n", ["some.toml", "[sever]", "did you mean server?"]),
        ("[tls]\ncrt = 'x'\n", ["some.toml", "'crt'", "[tls]", "did you mean cert?"]),
        ("port = 1\n", ["some.toml", "'port'", "outside a section"]),
        ("[server]\nport = [1]\n", ["[server] port", "[1]"]),
        ("[server]\nport = '%x'\n", ["--port", "file some.toml", "'%x'"]),
        ("[server\n", ["some.toml", "not TOML"]),
        ("[server]\nstate-dir = 'x'\n", ["'state-dir'", "did you mean state_dir?"]),
    ],
)
def test_a_wrong_file_is_named_with_section_and_key(text, words):
    with pytest.raises(ConfigError) as caught:
        load("--config", write(text))
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_file_that_is_not_text_is_named():
    Path("some.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"some\.toml"):
        load("--config", "some.toml")


def test_printing_masks_the_password_and_tells_origins():
    text = config.printed(load("--database", "postgresql://u:secret@h/d", RCMON_PORT="1"))
    assert "secret" not in text
    assert "port = 1  # environment RCMON_PORT" in text
    assert "host = 0.0.0.0  # default" in text


def test_every_option_is_a_field_and_stands_in_the_shipped_file_with_its_default():
    assert {option.attribute for option in OPTIONS} == set(config.Config.__struct_fields__) - {"origins"}
    shipped = (PROJECT / "conf" / "rcmon.toml").read_text()
    assert tomllib.loads(shipped) == {section: {} for section in tomllib.loads(shipped)}
    as_set = "\n".join(line.removeprefix("# ") if " = " in line else line for line in shipped.splitlines())
    sections = tomllib.loads(as_set)
    for option in OPTIONS:
        if option.section:
            value = sections[option.section].pop(option.key)
            assert value == ("..." if option.default is None else option.default)
    assert not any(sections.values())
