"""From command line, environment and file to one frozen Config.

The command line wins over `RCMON_…` variables, those over the file, the file over the defaults.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, structs
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rcmon.config.environment import check_variables, without_links
from rcmon.config.options import OPTIONS, Option, read
from rcmon.config.parser import DEFAULT_FILE, Parser, parser
from rcmon.config.values import Value
from rcmon.errors import ConfigError


class Config(Struct, frozen=True, kw_only=True):
    """The configuration. The meaning of each field stands in `rcmon.config.options.OPTIONS`."""

    host: str
    port: int
    allowed_hosts: str
    workers: int
    state_dir: str
    replica_name: str | None
    shutdown_grace: float
    hang_timeout: float
    recycle_memory: int
    recycle_files: int
    short_way: bool
    tls_cert: str | None
    tls_key: str | None
    tls_ca: str | None
    tls_ca_names: str
    tls_proxies: str
    tls_crl: str
    tls_crl_file: str | None
    tls_handshake_timeout: float
    vomsdir: str | None
    roles_file: str
    sources_file: str
    control_file: str
    cycle_interval: float
    cycle_budget: float
    stale_after: float
    history_retention: float
    journal_retention: float
    finding_raise_after: int
    finding_clear_after: int
    history_raw_retention: float
    metrics_task_zeros: bool
    metrics_replicas: str | None
    database: str | None
    database_password_file: str | None
    max_connections: int
    max_connections_per_address: int
    max_connections_per_identity: int
    max_handshakes: int
    max_request_rate_per_identity: float
    max_body_memory: int
    max_body_memory_per_identity: int
    max_streams: int
    max_streams_per_identity: int
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
    probe: bool
    print_config: bool
    print_example: str | None
    demo: bool
    synthetic: str | None
    origins: Mapping[str, str]
    """Where each value came from, by field."""

    def override(self, origin: str, **values: Value) -> "Config":
        """Replace values, remembering their origin."""
        origins = {**self.origins, **dict.fromkeys(values, origin)}
        return structs.replace(self, origins=origins, **values)

    def suggest(self, origin: str, **values: Value) -> "Config":
        """Replace the values that nobody gave, remembering their origin."""
        asked = {name: value for name, value in values.items() if self.origins[name] == "default"}
        return self.override(origin, **asked)


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


def origin(made: Parser, option: Option, file: Path | None) -> str:
    """Tell where the value of an option that was given came from."""
    for source, settings in made.get_source_to_settings_dict().items():
        if source == "environment_variables" and option.variable in settings:
            return f"environment {option.variable}"
        if source.startswith("config_file") and option.name in settings:
            return f"file {file}"
    return "command line"


def load(arguments: Sequence[str], environment: Mapping[str, str], version: str) -> Config:
    """Read the configuration; raises ConfigError with a line for each thing that is wrong."""
    own = without_links(environment)
    check_variables(own)
    file = config_file(arguments, own)
    made = parser(version, file)
    try:
        given = vars(made.parse_args(list(arguments), env_vars=dict(own)))
    except OSError as error:
        raise ConfigError(f"--config: {str(file)!r} cannot be read: {error}") from None
    return checked(_converted(made, given, file))


def _converted(made: Parser, given: Mapping[str, str | None], file: Path | None) -> Config:
    """Convert every option; what cannot be is told all at once."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    wrong: list[str] = []
    for option in OPTIONS:
        value, name = given[option.attribute], option.attribute
        origins[name] = "default" if value is None else origin(made, option, file)
        try:
            values[name] = option.default if value is None else read(option, value, origins[name])
        except ConfigError as error:
            wrong += error.messages
    if wrong:
        raise ConfigError(*wrong)
    return Config(**values, origins=origins)


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
    if config.probe and not config.check_config:
        raise ConfigError("--probe: needs --check-config")
    return config
