"""What an agent's configuration file says of its upstream: read as text, never run."""

import ast
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from rcmon.errors import ConfigError
from rcmon.files.reading import read_text

_LARGEST = 4 * 1024 * 1024
_PREFIX = "config.AgentStatusWatcher."
KEYS = ("grafanaURL", "grafanaToken", "grafanaSSB", "onlySSB", "enabled")


def said(path: Path) -> Mapping[str, object]:
    """Read what is set of KEYS, the last of each; what is no constant is its text. Raises ConfigError."""
    try:
        tree = ast.parse(read_text(path, _LARGEST))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(f"{path}: is no configuration of an agent, which is Python: {error}") from error
    found: dict[str, object] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                name = ast.unparse(target)
                if name.startswith(_PREFIX) and name.removeprefix(_PREFIX) in KEYS:
                    found[name.removeprefix(_PREFIX)] = _value(node.value)
    return found


def lines_to_change(address: str, agent: str, token_file: Path) -> list[str]:
    """Write the lines that lead an agent to its bridge; the token stays in its file."""
    token = f'"Bearer " + __import__("pathlib").Path({str(token_file)!r}).read_text().split()[-1]'
    return [
        f'{_PREFIX}grafanaURL = "https://{address}"',
        f"{_PREFIX}grafanaToken = {token}",
        f'{_PREFIX}grafanaSSB = "{agent}"',
    ]


def leads_to(url: object, address: str) -> bool:
    """Tell whether an agent's `grafanaURL` leads to an address; its path is dropped by the agent."""
    try:
        parts = urlsplit(str(url))
        return parts.scheme == "https" and f"{parts.hostname}:{parts.port}" in _spellings(address)
    except ValueError:
        return False


def _spellings(address: str) -> set[str]:
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    return {f"{host}:{port}", *([f"localhost:{port}"] if host == "127.0.0.1" else [])}


def _value(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return f"= {ast.unparse(node)}"
