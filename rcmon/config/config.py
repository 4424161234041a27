"""From command line, environment and file to one frozen Config.

The command line wins over `RCMON_…` variables, those over the file, the file over the defaults.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import configargparse
from msgspec import Struct, structs
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rcmon.config.file import TomlReader, closest
from rcmon.config.options import OPTIONS, Option, Value, read
from rcmon.errors import ConfigError

DEFAULT_FILE = Path("conf/rcmon.toml")


class Config(Struct, frozen=True, kw_only=True):
    """The configuration. The meaning of each field stands in `rcmon.config.options.OPTIONS`."""

    host: str
    port: int
    workers: int
    state_dir: str
    shutdown_grace: float
    hang_timeout: float
    short_way: bool
    tls_cert: str | None
    tls_key: str | None
    tls_ca: str | None
    tls_proxies: str
    tls_crl: str
    tls_crl_file: str | None
    tls_handshake_timeout: float
    vomsdir: str | None
    roles_file: str
    sources_file: str
    cycle_interval: float
    stale_after: float
    history_retention: float
    database: str | None
    database_password_file: str | None
    max_connections: int
    max_connections_per_address: int
    max_connections_per_identity: int
    max_body_memory: int
    max_body_memory_per_identity: int
    request_timeout: float
    idle_timeout: float
    write_timeout: float
    log_level: str
    log_file: str | None
    log_format: str
    log_rotate_size: int
    log_rotate_keep: int
    log_access: str
    log_access_sample: int
    log_slow: float
    check_config: bool
    print_config: bool
    demo: bool
    synthetic: str | None
    origins: Mapping[str, str]
    """Where each value came from, by field."""

    def override(self, origin: str, **values: Value) -> "Config":
        """Replace values, remembering their origin."""
        origins = {**self.origins, **dict.fromkeys(values, origin)}
        return structs.replace(self, origins=origins, **values)


class Parser(configargparse.ArgumentParser):  # type: ignore[misc]  # it has no type hints
    """The command line's parser: it raises ConfigError where argparse would leave the process."""

    def error(self, message: str) -> NoReturn:
        """Refuse, with the option that was most likely meant."""
        words = message.removeprefix("unrecognized arguments: ").split()
        hint = closest(words[0], [f"--{option.name}" for option in OPTIONS]) if words else ""
        raise ConfigError(message + hint)


def parser(version: str, file: Path | None) -> Parser:
    """Make the parser from the table of options; `file` is what it reads below the environment."""
    made = Parser(
        prog="rcmon",
        description="Workload Management Resource Control Monitor",
        allow_abbrev=False,
        add_env_var_help=False,
        add_config_file_help=False,
        config_file_parser_class=TomlReader,
        default_config_files=[str(file)] if file else [],
        epilog="Each option is also an environment variable: --tls-cert is RCMON_TLS_CERT.",
    )
    made.add_argument("--version", action="version", version=f"rcmon {version}")
    made.add_argument("--config", metavar="FILE", help=f"TOML file of options (default: {DEFAULT_FILE})")
    for option in OPTIONS:
        shown = "" if option.default in (None, False) else f" (default: {option.default})"
        made.add_argument(
            f"--{option.name}",
            env_var=option.variable,
            nargs="?" if option.flag else None,
            const="true" if option.flag else None,
            metavar="" if option.flag else option.key.upper(),
            help=(option.help + shown).replace("%", "%%"),
        )
    return made


def config_file(arguments: Sequence[str], environment: Mapping[str, str]) -> Path | None:
    """Find the configuration file: --config, RCMON_CONFIG, or the default one where it is there."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    first.add_argument("--config")
    try:
        named = first.parse_known_args(list(arguments))[0].config or environment.get("RCMON_CONFIG")
    except argparse.ArgumentError:
        raise ConfigError("--config: a file name must follow") from None
    if not named:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    if not Path(named).is_file():
        raise ConfigError(f"--config: {named!r} is not a file; name a TOML file such as {DEFAULT_FILE}")
    return Path(named)


def check_variables(environment: Mapping[str, str]) -> None:
    """Refuse a misspelt RCMON_ variable, which would be ignored in silence."""
    known = [*(option.variable for option in OPTIONS), "RCMON_CONFIG"]
    for name in environment:
        # the tests' own switch, which their sub-processes inherit
        if name.startswith("RCMON_") and name not in known and name != "RCMON_TEST_ALL":
            raise ConfigError(f"environment: unknown variable {name}{closest(name, known)}")


def origin(made: Parser, option: Option, file: Path | None) -> str:
    """Tell where the value of an option that was given came from."""
    for source, settings in made.get_source_to_settings_dict().items():
        if source == "environment_variables" and option.variable in settings:
            return f"environment {option.variable}"
        if source.startswith("config_file") and option.name in settings:
            return f"file {file}"
    return "command line"


def load(arguments: Sequence[str], environment: Mapping[str, str], version: str) -> Config:
    """Read the configuration; raises ConfigError with one line that names what is wrong and what is right."""
    check_variables(environment)
    file = config_file(arguments, environment)
    made = parser(version, file)
    try:
        given = vars(made.parse_args(list(arguments), env_vars=dict(environment)))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config: {str(file)!r} cannot be read: {error}") from None
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for option in OPTIONS:
        value = given[option.attribute]
        origins[option.attribute] = "default" if value is None else origin(made, option, file)
        values[option.attribute] = (
            option.default if value is None else read(option, value, origins[option.attribute])
        )
    return checked(Config(**values, origins=origins))


def checked(config: Config) -> Config:
    """Refuse what no single option can see."""
    if config.database is not None:
        try:
            make_url(config.database)
        except ArgumentError:
            raise ConfigError(
                "--database: not a database URL; right would be postgresql://user@host/name or sqlite:///file"
            ) from None
    if config.synthetic is not None and not config.demo:
        raise ConfigError(f"--synthetic: {config.synthetic!r} needs --demo")
    return config


def printed(config: Config) -> str:
    """Print every value with its origin; a password in the database URL is masked."""
    lines = []
    for option in OPTIONS:
        value = getattr(config, option.attribute)
        if option.name == "database" and value:
            value = make_url(value).render_as_string(hide_password=True)
        lines.append(
            f"{option.name} = {'' if value is None else value}  # {config.origins[option.attribute]}"
        )
    return "\n".join(lines)
