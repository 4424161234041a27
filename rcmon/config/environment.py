"""The environment's variables: those that are options, those of Kubernetes, and those that are misspelt."""

import re
from collections.abc import Mapping

from rcmon.config.file import closest
from rcmon.config.options import OPTIONS
from rcmon.errors import ConfigError

PREFIX = "RCMON_"
_NOT_OPTIONS = frozenset({"RCMON_TEST_ALL", "RCMON_TEST_PEER", "RCMON_URL"})
"""The tests' own switches, which their sub-processes inherit, and what `rcmon-cli` reads."""
_URL = r"(?:tcp|udp|sctp)://.+"
_ADDRESS = r"[0-9A-Fa-f.:]+|None"
_NUMBER = r"\d{1,5}"
_LINKS = tuple(
    (re.compile(rf"RCMON(?:_[A-Z0-9_]+)?_{name}"), re.compile(value))
    for name, value in (
        ("SERVICE_HOST", _ADDRESS),
        ("SERVICE_PORT(?:_[A-Z0-9_]+)?", _NUMBER),
        ("PORT", _URL),
        (r"PORT_\d+_(?:TCP|UDP|SCTP)", _URL),
        (r"PORT_\d+_(?:TCP|UDP|SCTP)_PROTO", "tcp|udp|sctp"),
        (r"PORT_\d+_(?:TCP|UDP|SCTP)_PORT", _NUMBER),
        (r"PORT_\d+_(?:TCP|UDP|SCTP)_ADDR", _ADDRESS),
    )
)
"""What the kubelet puts into every container for a Service that is called rcmon or rcmon-ANYTHING: names, and
values as only it writes them (kubernetes/pkg/kubelet/envvars, after Docker's links)."""


def without_links(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out what Kubernetes put there for its Services."""
    return {name: value for name, value in environment.items() if not _is_link(name, value)}


def check_variables(environment: Mapping[str, str]) -> None:
    """Refuse misspelt RCMON_ variables, which would be ignored in silence; raises ConfigError naming all."""
    known = [*(option.variable for option in OPTIONS), "RCMON_CONFIG"]
    wrong = [
        f"environment: unknown variable {name}{closest(name, known)}"
        for name in environment
        if name.startswith(PREFIX) and name not in known and name not in _NOT_OPTIONS
    ]
    if wrong:
        raise ConfigError(*wrong)


def _is_link(name: str, value: str) -> bool:
    return any(named.fullmatch(name) and valued.fullmatch(value) for named, valued in _LINKS)
