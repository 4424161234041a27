"""How far agents are steered, and what the guard lets pass: `conf/control.toml`, as it is followed."""

from rcmon.steering.settings import ABSENT, AgentSettings, ControlSettings, follow_control

__all__ = ["ABSENT", "AgentSettings", "ControlSettings", "follow_control"]
