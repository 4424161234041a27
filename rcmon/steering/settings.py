"""The control file: read strictly, followed live; without one nothing is steered."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from rcmon.errors import ConfigError
from rcmon.files.follower import Follower
from rcmon.files.reading import OWN, FileError, parse_toml, read_text
from rcmon.files.stamp import NOWHERE, UNSEEN, stamp_of
from rcmon.model.steering import HEAVIEST, GuardSettings, Mode

_LARGEST = 1 << 20
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$(?!\n)"
_AgentName = Annotated[str, Meta(pattern=_NAME)]


class _ModeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    mode: Mode = "observe"


class AgentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How one agent is steered."""

    mode: Mode | None = None
    """None: as all are."""
    weight: Annotated[float, Meta(ge=0, le=HEAVIEST)] = 1.0
    """What it takes of the team's share, beside the others' weights, unless an operator set another one."""
    team: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """None: as its updater is configured, or as it reports."""


class ControlSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The control file as a whole."""

    control: _ModeSettings = _ModeSettings()
    guard: GuardSettings = GuardSettings()
    agents: Mapping[_AgentName, AgentSettings] = {}

    @property
    def mode(self) -> Mode:
        """How far agents are steered that are not named."""
        return self.control.mode

    def mode_of(self, agent: str) -> Mode:
        """Tell how far an agent is steered."""
        named = self.agents.get(agent)
        return self.mode if named is None or named.mode is None else named.mode

    def weight_of(self, agent: str) -> float:
        """Tell an agent's weight, as configured."""
        return self.agents[agent].weight if agent in self.agents else 1.0

    def team_of(self, agent: str) -> str | None:
        """Tell an agent's team where that is configured."""
        return self.agents[agent].team if agent in self.agents else None


ABSENT = ControlSettings()
"""What holds without a file."""


def follow_control(path: Path | None) -> Follower[ControlSettings]:
    """Make the settings, to be followed; None: there is no file ever. Raises ConfigError.

    A file that is not there is no error: nobody is steered. One that is spoilt while the service runs is
    refused, and what was good before stays.
    """
    if path is None:
        return Follower("control", lambda: UNSEEN, lambda _: ABSENT)
    return Follower("control", lambda: stamp_of(path), lambda _: read_control(path))


def read_control(path: Path) -> ControlSettings:
    """Read a control file. Raises ConfigError that names file and member."""
    if stamp_of(path) == NOWHERE:
        return ABSENT
    try:
        return parse_control(read_text(path, _LARGEST, OWN))
    except FileError as error:
        raise ConfigError(f"control file {error}") from error
    except ConfigError as error:
        raise ConfigError(f"control file {path}: {error}") from error


def parse_control(text: str) -> ControlSettings:
    """Read the text of a control file. Raises ConfigError."""
    try:
        return msgspec.convert(parse_toml(text), ControlSettings)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error).replace("Object", "a section").replace("`", "'")) from error
