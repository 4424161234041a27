"""The command line's parser, made from the table of options, and its help."""

import functools
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import configargparse

from rcmon.config.file import TomlReader, closest
from rcmon.config.options import OPTIONS, Option
from rcmon.errors import ConfigError

DEFAULT_FILE = Path("conf/rcmon.toml")
_WIDTH = 100
_INDENT = 32
_ENDING = (
    "Each option is also an environment variable (--tls-cert is RCMON_TLS_CERT) and, where it stands in a"
    " section, a key of the file (cert in [tls]). The command line wins over the environment, that over the"
    " file, the file over the defaults."
)


class Parser(configargparse.ArgumentParser):  # type: ignore[misc]  # it has no type hints
    """The command line's parser: it raises ConfigError where argparse would leave the process."""

    def error(self, message: str) -> NoReturn:
        """Refuse, with the option that was most likely meant."""
        words = message.removeprefix("unrecognized arguments: ").split()
        hint = closest(words[0], [f"--{option.name}" for option in OPTIONS]) if words else ""
        raise ConfigError(message + hint)

    def format_help(self) -> str:
        """Write the help: options in groups, each as it is given, with its choices and its default."""
        return "\n".join(_help())


def parser(version: str, file: Path | None) -> Parser:
    """Make the parser; `file` is what it reads below the environment."""
    made = Parser(
        prog="rcmon",
        allow_abbrev=False,
        config_file_parser_class=TomlReader,
        config_file_open_func=functools.partial(open, encoding="utf-8"),
        default_config_files=[str(file)] if file else [],
    )
    made.add_argument("--version", action="version", version=f"rcmon {version}")
    made.add_argument("--config")
    for option in OPTIONS:
        made.add_argument(
            f"--{option.name}",
            env_var=option.variable,
            nargs="?" if option.flag else None,
            const="true" if option.flag else None,
        )
    return made


def _help() -> Iterator[str]:
    yield "usage: rcmon [OPTION ...]"
    yield ""
    yield "Workload Management Resource Control Monitor"
    yield from _group("What to do", (option for option in OPTIONS if option.section is None))
    yield from _entry("--config FILE", f"TOML file of options (default: {DEFAULT_FILE})")
    yield from _entry("--version", "print the version, then leave")
    yield from _entry("-h, --help", "print this, then leave")
    for section in dict.fromkeys(option.section for option in OPTIONS if option.section):
        yield from _group(f"[{section}]", (option for option in OPTIONS if option.section == section))
    yield ""
    yield from textwrap.wrap(_ENDING, _WIDTH)
    yield ""


def _group(title: str, options: Iterable[Option]) -> Iterator[str]:
    yield ""
    yield f"{title}:"
    for option in options:
        default = option.default
        shown = "true" if default is True else f"{default:g}" if isinstance(default, float) else default
        ending = "" if default in (None, False) else f" (default: {shown})"
        yield from _entry(f"--{option.name}{_value(option)}", option.help + ending)


def _value(option: Option) -> str:
    """Say what follows an option."""
    if option.flag:
        return ""
    if option.choices:
        return " {" + ",".join(option.choices) + "}"
    if isinstance(option.default, bool):
        return " {true,false}"
    return f" {option.stands_for}"


def _entry(option: str, text: str) -> Iterator[str]:
    """Write an option and what it is for, below each other where the first is long."""
    lines = textwrap.wrap(text, _WIDTH - _INDENT)
    head = f"  {option}"
    if len(head) < _INDENT - 1:
        yield f"{head:<{_INDENT}}{lines.pop(0)}"
    else:
        yield head
    for line in lines:
        yield " " * _INDENT + line
