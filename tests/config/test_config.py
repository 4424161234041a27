"""The configuration: precedence, and one clear line for whatever is wrong."""

import re
import tomllib
from pathlib import Path

import pytest

from rcmon.config import OPTIONS, config, printed
from rcmon.config.parser import parser
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
        (["--allowed-hosts", "a,b c"], {}, ["--allowed-hosts", "'a,b c'", "*.cern.ch"]),
        (["--allowed-hosts", "*.*"], {}, ["--allowed-hosts"]),
        (["--replica-name", "a b"], {}, ["--replica-name", "'a b'", "without a space"]),
        (["--replica-name", ""], {}, ["--replica-name"]),
        (["--metrics-replicas", "a:5000,b"], {}, ["--metrics-replicas", "'a:5000,b'", "HOST:PORT"]),
        (["--metrics-replicas", "a:70000"], {}, ["--metrics-replicas", "HOST:PORT"]),
        (["--metrics-task-zeros", "2"], {}, ["--metrics-task-zeros", "true or false"]),
        (["--config"], {}, ["--config", "file"]),
        (["--synthetic", "1x1"], {}, ["--synthetic", "--demo"]),
        (["--probe"], {}, ["--probe", "--check-config"]),
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


TEXTS = (
    "plain",
    "quotes \" and ' and \\\\ of them",
    "snow \N{SNOWMAN} and \N{GRINNING FACE}",
    "# no comment = 1",
    "[no section]",
    " blanks ",
)


@pytest.mark.parametrize("value", TEXTS)
def test_what_is_printed_can_be_read_back(value):
    made = load(
        "--state-dir", value, "--tls-cert", value, "--log-file", value, "--host", "",
        "--short-way", "false", "--log-slow", "0.125", "--database", "postgresql://u@h/d?ssl=true",
        RCMON_PORT="1",
    )  # fmt: skip
    file = write(printed(made))
    again = load("--config", file)
    for option in OPTIONS:
        assert getattr(again, option.attribute) == getattr(made, option.attribute), option.name
    assert again.origins["port"] == f"file {file}"


def test_printing_tells_origins_and_no_secret():
    for secret in ("postgresql://u:secret@h/d", "postgresql://h/d?user=u&password=secret"):
        text = printed(load("--database", secret, RCMON_PORT="1"))
        assert "secret" not in text
        assert "***" not in text
        assert "its password is not printed" in text
        assert load("--config", write(text)).database.startswith("postgresql://")
    assert "port = 1  # environment RCMON_PORT" in text
    assert 'host = "0.0.0.0"  # default' in text
    assert "# cert = ...  # default" in text


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ConfigError) as caught:
        load("--port", "x", "--workers", "-1", RCMON_LOG_LEVEL="loud")
    assert [message.split()[0] for message in caught.value.messages] == ["--port", "--workers", "--log-level"]
    with pytest.raises(ConfigError) as caught:
        load(RCMON_PROT="1", RCMON_HOTS="x")
    assert len(caught.value.messages) == 2


@pytest.mark.parametrize("name", ["RCMON", "RCMON_WEB", "RCMON_2"])
def test_what_kubernetes_puts_there_for_its_services_is_no_option(name):
    """As the kubelet writes it for a Service with the ports 5000/TCP (https) and 53/UDP."""
    links = {f"{name}_SERVICE_HOST": "10.96.3.7", f"{name}_SERVICE_PORT": "5000"}
    links |= {f"{name}_SERVICE_PORT_HTTPS": "5000", f"{name}_PORT": "tcp://10.96.3.7:5000"}
    for port, protocol in (("5000", "TCP"), ("53", "UDP")):
        link = f"{name}_PORT_{port}_{protocol}"
        links[link] = f"{protocol.lower()}://[fd00::7]:{port}"
        links |= {f"{link}_PROTO": protocol.lower(), f"{link}_PORT": port, f"{link}_ADDR": "fd00::7"}
    made = load(**links)
    assert made.port == 5000
    assert set(made.origins.values()) == {"default"}
    assert load("--port", "7", **links).port == 7


@pytest.mark.parametrize(
    "environment",
    [
        {"RCMON_PORT": "tcp:/10.96.3.7:5000"},
        {"RCMON_WEB_PORT": "5000"},
        {"RCMON_SERVICE_HOST": "some.host.example"},
        {"RCMON_SERVICE_PORT": "https"},
        {"RCMON_PORT_5000_TCP_ADDRESS": "10.96.3.7"},
        {"RCMON_STATE_DIRECTORY": "x"},
    ],
)
def test_what_only_looks_like_it_is_refused(environment):
    (name,) = environment
    with pytest.raises(ConfigError, match=name):
        load(**environment)


def test_both_families_are_an_empty_host_wherever_it_is_said():
    assert load("--host", "").host == ""
    assert load("--host=").host == ""
    assert load(RCMON_HOST="").host == ""
    assert load("--config", write("[server]\nhost = ''\n")).host == ""


def test_a_byte_order_mark_says_nothing_and_utf_16_is_named():
    Path("some.toml").write_bytes(b"\xef\xbb\xbf[server]\nport = 7\n")
    assert load("--config", "some.toml").port == 7
    Path("some.toml").write_text("[server]\nport = 7\n", encoding="utf-16")
    with pytest.raises(ConfigError, match=r"some\.toml.*not UTF-8"):
        load("--config", "some.toml")


def test_a_value_that_no_text_can_be_is_refused():
    for value in ("a\nb", "a\udcffb", "a\x00b"):
        with pytest.raises(ConfigError, match="UTF-8 without control characters"):
            load("--state-dir", value)


def test_help_has_groups_choices_and_flags():
    text = parser("1", None).format_help()
    assert "--cycle-budget SHARE" in text
    assert "--max-request-rate-per-identity RATE" in text
    assert "--cycle-interval SECONDS" in text
    for option in OPTIONS:
        assert len(re.findall(rf"^  --{option.name}(?![\w-])", text, re.MULTILINE)) == 1, option.name
        for word in option.choices:
            assert re.search(rf"^  --{option.name} {{.*{word}.*}}", text, re.MULTILINE)
    sections = {option.section for option in OPTIONS if option.section}
    assert set(re.findall(r"^\[(\w+)\]:$", text, re.MULTILINE)) == sections
    assert re.search(r"^  --demo  +serve", text, re.MULTILINE), "a flag takes nothing"
    assert max(map(len, text.splitlines())) <= 100
    assert "%" not in text


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
