"""The sources file: a TOML list of `[[source]]` tables."""

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rcmon.errors import ConfigError
from rcmon.sources import KINDS
from rcmon.sources.base import DEFAULT_TIMEOUT, Source, SourceConfig

KEYS = ("name", "kind", "url", "password_file", "timeout")
LONGEST_TIMEOUT = 3600.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def load_sources(path: Path) -> tuple[SourceConfig, ...]:
    """Read the sources file; a relative `password_file` is relative to it.

    Raises ConfigError for a file that cannot be read or is no TOML, and for anything in it that is
    unknown, missing, of the wrong type or there twice.
    """
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"sources file {path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"sources file {path}: is not TOML: {error}") from error
    unknown = sorted(set(content) - {"source"})
    if unknown:
        raise ConfigError(f"sources file {path}: unknown {unknown[0]!r}; it holds [[source]] tables only")
    tables = content.get("source", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables) or not tables:
        raise ConfigError(f"sources file {path}: holds no [[source]] table; at least one is needed")
    configs = tuple(
        _source(f"sources file {path}, source {number}", path.parent, table)
        for number, table in enumerate(tables, 1)
    )
    _refuse_duplicates(path, configs)
    return configs


def build_sources(configs: Iterable[SourceConfig]) -> list[Source]:
    """Make the sources; none of them is touched. Raises ConfigError naming the source that cannot be."""
    sources = []
    for config in configs:
        try:
            sources.append(KINDS[config.kind](config))
        except ConfigError as error:
            raise ConfigError(f"source {config.name}: {error}") from error
    return sources


def _source(where: str, folder: Path, table: Mapping[str, Any]) -> SourceConfig:
    unknown = sorted(set(table) - set(KEYS))
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(KEYS)}")
    name = _text(where, table, "name")
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: name {name!r} is not a name: that is letters, digits, '.', '_', '-', "
            "of which a letter or digit comes first"
        )
    where = f"{where} ({name})"
    kind = _text(where, table, "kind")
    if kind not in KINDS:
        raise ConfigError(f"{where}: kind {kind!r} is unknown; known are {', '.join(KINDS)}")
    return SourceConfig(
        name=name,
        kind=kind,
        url=_text(where, table, "url"),
        password_file=_password_file(where, folder, table),
        timeout=_timeout(where, table),
    )


def _text(where: str, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if value is None:
        raise ConfigError(f"{where}: {key} is missing")
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}: {key} must be a text that is not empty")
    return value


def _password_file(where: str, folder: Path, table: Mapping[str, Any]) -> Path | None:
    if "password_file" not in table:
        return None
    path = folder / _text(where, table, "password_file")
    try:
        path.open("rb").close()
    except OSError as error:
        raise ConfigError(f"{where}: password_file {path} cannot be read: {error.strerror}") from error
    return path


def _timeout(where: str, table: Mapping[str, Any]) -> float:
    value = table.get("timeout", DEFAULT_TIMEOUT)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 < value <= LONGEST_TIMEOUT:
        raise ConfigError(
            f"{where}: timeout {value!r} must be seconds above 0 and at most {LONGEST_TIMEOUT:g}"
        )
    return float(value)


def _refuse_duplicates(path: Path, configs: Iterable[SourceConfig]) -> None:
    seen = set()
    for config in configs:
        if config.name in seen:
            raise ConfigError(
                f"sources file {path}: two sources have the name {config.name!r}; names are unique"
            )
        seen.add(config.name)
