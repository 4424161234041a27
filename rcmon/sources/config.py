"""The sources file: a TOML list of `[[source]]` tables, each told by the struct of its kind."""

import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Union

import msgspec
from msgspec import Struct, ValidationError

from rcmon.errors import ConfigError
from rcmon.files.reading import FileError, parse_toml, read_bounded, read_text
from rcmon.sources import KINDS
from rcmon.sources.base import FileOrFolder, LateFile, Source, SourceConfig, SourceKind
from rcmon.sources.plausible import quoted

_KINDS: Mapping[str, SourceKind] = MappingProxyType({kind.name: kind for kind in KINDS})
_ANY: Any = Union[tuple(kind.config for kind in KINDS)]  # noqa: UP007 - made of a list
_LARGEST = 16 * 1024 * 1024
"""Octets of the sources file, and of a file that it names; a source takes 200."""
_AT = re.compile(r"(?P<what>.*) - at `\$(?P<path>.*)`", re.DOTALL)
_FIELD = re.compile(r"Object (?P<how>contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL)


class SourceSet(Struct, frozen=True, eq=False):
    """The sources of a service, made as they are configured."""

    sources: tuple[Source, ...]
    configs: tuple[SourceConfig, ...] = ()


def read_sources(path: Path, current: SourceSet | None) -> SourceSet:
    """Make the sources of the sources file; gives back the current ones where it says the same.

    Raises ConfigError.
    """
    configs = load_sources(path)
    if current is not None and current.configs == configs:
        return current
    return SourceSet(tuple(build_sources(configs)), configs)


def load_sources(path: Path) -> tuple[SourceConfig, ...]:
    """Read the sources file; paths in it are relative to it.

    Raises ConfigError for a file that cannot be read or is no TOML, and for anything in it that is
    unknown, missing, of the wrong type or there twice: one line names all that is wrong.
    """
    where = f"sources file {path}"
    tables = _tables(where, path)
    configs, wrong = [], []
    for number, table in enumerate(tables):
        try:
            configs.append(_source(path.parent, number, table))
        except ConfigError as error:
            wrong.append(str(error))
    names = [config.name for config in configs]
    twice = sorted({name for name in names if names.count(name) > 1})
    wrong += [f"two sources have the name {name!r}; names are unique" for name in twice]
    if wrong:
        raise ConfigError(f"{where}, {'; '.join(wrong)}")
    return tuple(configs)


def build_sources(configs: Iterable[SourceConfig]) -> list[Source]:
    """Make the sources; none of them is touched. Raises ConfigError naming the source that cannot be."""
    sources = []
    for config in configs:
        try:
            sources.append(_KINDS[str(config.__struct_config__.tag)].make(config))
        except ConfigError as error:
            raise ConfigError(f"source {config.name}: {error}") from error
    return sources


def _tables(where: str, path: Path) -> list[Mapping[str, Any]]:
    try:
        content = parse_toml(read_text(path, _LARGEST))
    except FileError as error:
        raise ConfigError(f"sources file {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    unknown = sorted(set(content) - {"source"})
    if unknown:
        raise ConfigError(f"{where}: unknown {unknown[0]!r}; it holds [[source]] tables only")
    tables = content.get("source", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables) or not tables:
        raise ConfigError(f"{where}: holds no [[source]] table; at least one is needed")
    return tables


def _source(folder: Path, number: int, table: Mapping[str, Any]) -> SourceConfig:
    """Read the table with that number, counted from 0 as in `$.source[0]`."""
    name, kind = table.get("name"), table.get("kind")
    where = f"source {number + 1}"
    if isinstance(name, str) and name:
        where += f" ({name if name.isprintable() else quoted(name)})"
    at = f"$.source[{number}]"
    if kind is None:
        raise ConfigError(f"{where}: kind is missing; known are {', '.join(_KINDS)} (at {at})")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ConfigError(f"{where}: kind {kind!r} is unknown; known are {', '.join(_KINDS)} (at {at}.kind)")
    try:
        source: SourceConfig = msgspec.convert(table, _ANY, dec_hook=partial(_path, folder))
    except ValidationError as error:
        what, path = _split(error)
        raise ConfigError(f"{where}: {_told(what, path, table, _KINDS[kind])} (at {at}{path})") from error
    return source


def _split(error: ValidationError) -> tuple[str, str]:
    """Part what is wrong from the path to it, which begins below the table."""
    found = _AT.fullmatch(str(error))
    return (found["what"], found["path"]) if found else (str(error), "")


def _told(what: str, path: str, table: Mapping[str, Any], kind: SourceKind) -> str:
    """Say what is wrong and what would be right; msgspec alone would name neither value nor meaning."""
    fields = kind.config.__struct_fields__
    if field := _FIELD.fullmatch(what):
        if field["how"] == "missing required":
            return f"{field['name']} is missing"
        return f"unknown key {field['name']!r}; known are {', '.join(('kind', *fields))}"
    key = next((name for name in fields if path == f".{name}"), None)
    right = _rights(kind.config).get(key or "")
    if key is None or right is None:
        return f"{path.removeprefix('.')}: {what}"
    value = table[key]
    shown = repr(value) if isinstance(value, str | int | float) else f"of type {type(value).__name__}"
    return f"{key} {shown} {right}"


def _rights(config: type[SourceConfig]) -> Mapping[str, str]:
    """Give by field what its type says would be right."""
    struct = msgspec.inspect.type_info(config)
    fields = struct.fields if isinstance(struct, msgspec.inspect.StructType) else ()
    return {
        field.name: str((field.type.extra_json_schema or {})["description"])
        for field in fields
        if isinstance(field.type, msgspec.inspect.Metadata)
    }


def _path(folder: Path, wanted: type, value: object) -> Path:
    """Read a Path, relative to the folder, of a file that can be read."""
    if wanted not in (Path, FileOrFolder, LateFile):
        raise NotImplementedError(wanted)
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text that is not empty: the path of a file")
    path: Path = wanted(folder / value)
    if wanted is LateFile or (wanted is FileOrFolder and path.is_dir()):
        return path
    try:
        read_bounded(path, _LARGEST)
    except FileError as error:
        raise ValueError(str(error)) from error
    return path
