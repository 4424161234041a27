"""The sources file: what is right is read, anything else is named."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rcmon.errors import ConfigError
from rcmon.sources import FINDINGS, KINDS
from rcmon.sources.base import SourceConfig, SourceKind
from rcmon.sources.config import build_sources, load_sources
from rcmon.sources.wmagent import WMAgentConfig

AGENT = '[[source]]\nname = "vocms0999"\nkind = "wmagent"\nurl = "mysql://reader@db.example.org/wmagent"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("hush\n")
    return tmp_path / "sources.toml"


def test_sources_are_read(path: Path) -> None:
    path.write_text(AGENT + 'password_file = "secret"\ntimeout = 5\n' + AGENT.replace("0999", "0255"))
    assert load_sources(path) == (
        WMAgentConfig(
            name="vocms0999",
            url="mysql://reader@db.example.org/wmagent",
            password_file=path.parent / "secret",
            timeout=5.0,
        ),
        WMAgentConfig(name="vocms0255", url="mysql://reader@db.example.org/wmagent", timeout=30.0),
    )


def test_sources_are_built_without_being_touched(path: Path) -> None:
    path.write_text(AGENT)
    (source,) = build_sources(load_sources(path))
    assert (source.name, source.kind, source.timeout) == ("vocms0999", "wmagent", 30.0)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "no [[source]] table"),
        ('source = "x"', "no [[source]] table"),
        ("[[source]", "is not TOML"),
        ("[server]\nport = 1\n" + AGENT, "unknown 'server'"),
        (
            AGENT + "retries = 3",
            "source 1 (vocms0999): unknown key 'retries'; known are kind, name, timeout, url",
        ),
        (AGENT.replace("name", "#"), "source 1: name is missing"),
        (AGENT.replace("kind", "#"), "source 1 (vocms0999): kind is missing"),
        # a terminal obeys what cannot be printed
        (
            AGENT.replace("kind", "#").replace("vocms0999", "\\u0080ads"),
            r"source 1 ('\x80ads'): kind is missing",
        ),
        (AGENT.replace("url", "#"), "source 1 (vocms0999): url is missing"),
        (AGENT.replace("wmagent", "wmnobody"), "kind 'wmnobody' is unknown; known are wmagent"),
        (AGENT.replace('"wmagent"', "7"), "kind 7 is unknown; known are wmagent"),
        (AGENT.replace("vocms0999", "a/b"), "name 'a/b' is not a name"),
        (AGENT.replace('"vocms0999"', "7"), "name 7 is not a name"),
        (AGENT + 'password_file = "nowhere"', "nowhere: cannot be read: No such file"),
        (AGENT + "password_file = 7", "password_file: must be a text that is not empty"),
        (
            AGENT.replace("mysql://reader@db.example.org/wmagent", ""),
            "url '' must be a text that is not empty",
        ),
        (
            AGENT.replace('"mysql://reader@db.example.org/wmagent"', '["hush"]'),
            "url of type list must be a text",
        ),
        (AGENT + 'timeout = "fast"', "timeout 'fast' must be seconds"),
        (AGENT + "timeout = 0", "timeout 0 must be seconds"),
        (AGENT + "timeout = inf", "timeout inf must be seconds"),
        (AGENT + "timeout = true", "timeout True must be seconds"),
        (AGENT + AGENT, "two sources have the name 'vocms0999'"),
    ],
)
def test_what_is_wrong_is_named(path: Path, content: str, told: str) -> None:
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        load_sources(path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (AGENT + "timeout = 0", "(at $.source[0].timeout)"),
        (AGENT + AGENT.replace("kind", "#"), "(at $.source[1])"),
        (AGENT + AGENT.replace("wmagent", "x"), "(at $.source[1].kind)"),
        (AGENT + 'password_file = "nowhere"', "(at $.source[0].password_file)"),
    ],
)
def test_it_is_told_where_the_wrong_thing_stands(path: Path, content: str, told: str) -> None:
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        load_sources(path)
    assert told in str(caught.value)


def test_all_that_is_wrong_is_named_at_once(path: Path) -> None:
    path.write_text(AGENT + AGENT + AGENT.replace("0999", "0255") + "timeout = -1\n[[source]]\n")
    with pytest.raises(ConfigError) as caught:
        load_sources(path)
    for told in (
        "source 3 (vocms0255): timeout -1",
        "source 4: kind is missing",
        "two sources have the name",
    ):
        assert told in str(caught.value)


def test_a_byte_order_mark_says_nothing(path: Path) -> None:
    path.write_text(AGENT, "utf-8-sig")
    assert [config.name for config in load_sources(path)] == ["vocms0999"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_brings_its_settings_and_its_source(kind: SourceKind) -> None:
    assert issubclass(kind.config, SourceConfig)
    assert (kind.config.__struct_config__.tag_field, kind.config.__struct_config__.tag) == ("kind", kind.name)
    assert kind.config.__struct_config__.forbid_unknown_fields
    assert [other.name for other in KINDS].count(kind.name) == 1


def test_no_two_kinds_share_a_kind_of_finding() -> None:
    assert len(FINDINGS) == sum(len(kind.findings) for kind in KINDS)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: No such file"):
        load_sources(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://reader:hush@host/db", "url holds a password"),
        ("postgresql://reader@host/db?password=hush", "url holds a password"),
        ("hush", "url is not a URL"),
        ("mongodb://reader@host/hush", "scheme 'mongodb'; known are mysql, mariadb, oracle, postgresql"),
        ("mysql+pymysql://reader@host/db", "asks for the driver 'pymysql'"),
        ("mysql://reader@host", "names no database"),
        ("postgresql://reader@host", "names no database"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:/a?mode=rw", "names no file"),
        ("sqlite:////a?mode=rw", "the parameter 'mode'"),
        ("mysql://reader@host/db?ssl_ca=/nowhere", "a file cannot be read: No such file"),
        ("mysql://reader@host/db?ssl_ca=/dev/null", "no certificate or key can be read"),
        ("mysql://reader@host/db?ssl_ca=%00", "is no path: embedded null byte"),
        ("mysql://reader@host/db?ssl_capath=/etc", "the parameter 'ssl_capath'; known of TLS are ssl_ca"),
        ("postgresql://reader@host/db?ssl_cert=/nowhere", "right are ssl_ca=FILE"),
        ("postgresql://reader@host/db?ssl_ca=/nowhere&ssl_check_hostname=maybe", "true or false"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_secrets(url: str, told: str) -> None:
    with pytest.raises(ConfigError, match=r"^source vocms0999: ") as caught:
        build_sources([WMAgentConfig(name="vocms0999", url=url)])
    assert told in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_driver_that_is_not_installed_is_told_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "asyncmy", None)
    with pytest.raises(ConfigError, match=r"pip install '\.\[mysql\]' in the clone"):
        build_sources([WMAgentConfig(name="vocms0999", url="mysql://reader@host/db")])


@pytest.mark.parametrize(
    "url",
    [
        "mysql://reader@host/db",
        "mysql+asyncmy://reader@host/db",
        "mariadb://reader@host:3307/db",
        "postgresql://reader@host/db",
        "postgres://reader@host/db",
        "oracle://reader@host:1521/?service_name=wmagent",
        "sqlite:////var/lib/agent.sqlite",
    ],
)
def test_a_plain_url_finds_its_driver(url: str) -> None:
    (source,) = build_sources([WMAgentConfig(name="vocms0999", url=url)])
    assert "reader" not in repr(source)


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.write_text("a = " + "[" * 20_000),
        lambda path: path.write_bytes(bytes(1000)),
        lambda path: path.write_bytes(AGENT.encode()[:-30]),
    ],
    ids=["pipe", "directory", "endless", "deep", "NUL octets", "half written"],
)
def test_whatever_stands_in_its_place_is_refused_and_never_waited_for(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    """A collector that follows the file goes on with the sources before it."""
    path = tmp_path / "sources.toml"
    make(path)
    with pytest.raises(ConfigError, match=rf"^sources file {path}[:,]"):
        load_sources(path)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.mkdir()], ids=["pipe", "directory"])
def test_no_password_is_waited_for(make: Callable[[Path], object], tmp_path: Path) -> None:
    make(tmp_path / "password")
    (tmp_path / "sources.toml").write_text(AGENT + 'password_file = "password"\n')
    with pytest.raises(ConfigError, match=r"password: (?:is no regular file|cannot be read)"):
        load_sources(tmp_path / "sources.toml")
