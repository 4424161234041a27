"""The control file: what it may say, and what is told of what it may not."""

import tomllib
from pathlib import Path

import pytest

from rcmon.errors import ConfigError
from rcmon.model.steering import GuardSettings
from rcmon.steering import ABSENT, follow_control
from rcmon.steering.settings import parse_control, read_control

EXAMPLE = Path(__file__).parent.parent.parent / "conf" / "control.toml"


def uncommented(text: str) -> str:
    """Give the example with every setting that it shows."""
    lines = [line.removeprefix("# ") for line in text.splitlines()]
    return "\n".join(line for line in lines if line.startswith("[") or (" = " in line and line[0].isalpha()))


def test_the_example_steers_nobody():
    settings = read_control(EXAMPLE)
    assert settings == ABSENT


def test_the_example_shows_every_setting_with_its_default():
    text = uncommented(EXAMPLE.read_text())
    settings = parse_control(text)
    assert settings.guard == GuardSettings()
    assert set(tomllib.loads(text)["guard"]) == set(GuardSettings.__struct_fields__)
    assert settings.mode_of("vocms0254") == "control"
    assert settings.mode_of("vocms0255") == "observe"
    assert (settings.weight_of("vocms0254"), settings.team_of("vocms0254")) == (1.0, "production")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[control]\nmode = 'of course'", "$.control.mode"),
        ("[control]\nmod = 'observe'", "mod"),
        ("[guard]\nshare = 2", "$.guard.share"),
        ("[guard]\nshare = 'all'", "$.guard.share"),
        ("[guard]\nwindow = 1", "$.guard.window"),
        ("[agents.a]\nweight = -1", "$.agents"),
        ("[agents.a]\nmode = 1", "$.agents"),
        ("[agents]\n'a b' = {}", "$.agents"),
        ("[agents]\na = 1", "$.agents"),
        ("control = 1", "$.control"),
        ("[control", "TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "control.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_control(file)
    assert named in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "control.toml"
    file.write_text("")
    file.chmod(0o666)
    with pytest.raises(ConfigError, match="chmod go-w"):
        read_control(file)


def test_it_is_followed_and_what_was_good_stays(tmp_path: Path) -> None:
    file = tmp_path / "control.toml"
    followed = follow_control(file)
    assert followed.value == ABSENT
    file.write_text("[control]\nmode = 'control'\n")
    assert followed.refresh() is True
    assert followed.value.mode == "control"
    file.write_text("[control]\nmode = 'x'\n")
    assert followed.refresh() is False
    assert followed.value.mode == "control"
    file.unlink()
    assert followed.refresh() is True
    assert followed.value == ABSENT
