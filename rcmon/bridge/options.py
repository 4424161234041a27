"""The bridge's options: one visible table, and the settings that are made of them."""

import ipaddress
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TextIO
from urllib.parse import urlsplit

import configargparse
from msgspec import Struct

from rcmon.errors import ConfigError
from rcmon.files.reading import parse_toml

SECTION = "bridge"
"""Of the configuration file; there is no other."""
_LONGEST = 120.0
_NAME = re.compile(r"[A-Za-z0-9._-]{1,255}")


class BridgeOption(Struct, frozen=True):
    """One option: on the command line, as `RCMON_BRIDGE_…`, or a key of `[bridge]`."""

    name: str
    help: str
    default: str | None = None
    required: bool = False


OPTIONS: tuple[BridgeOption, ...] = (
    BridgeOption("url", "where rcmon is, such as https://HOST:5000", required=True),
    BridgeOption("agent", "the agent's name, as rcmon knows it", required=True),
    BridgeOption("cert", "this node's certificate or proxy (PEM); read again when renewed", required=True),
    BridgeOption("key", "its key, where it does not stand with the certificate"),
    BridgeOption("ca", "CAs of rcmon's certificate: a PEM file or a hashed directory", required=True),
    BridgeOption("token-file", "file that holds the token which the agent sends", required=True),
    BridgeOption("listen", "loopback address and port; port 0 takes a free one", "127.0.0.1:8449"),
    BridgeOption("timeout", "seconds that rcmon has for an answer", "20"),
    BridgeOption("agent-config", "with --check: the agent's configuration file, which is read and never run"),
    BridgeOption("log-level", "least severity that is logged: debug, info, warning, error", "info"),
    BridgeOption("log-format", "form of a log line: text or json", "text"),
)  # fmt: skip


class BridgeSettings(Struct, frozen=True):
    """What the bridge is told, in the order of OPTIONS."""

    url: str
    """Address of the service without a path, no slash at its end."""
    agent: str
    cert: Path
    key: Path
    """The same file as `cert` where both stand in one."""
    ca: Path
    token_file: Path
    host: str
    """A loopback address."""
    port: int
    timeout: float
    """Seconds."""
    agent_config: Path | None
    log_level: str
    log_format: str
    check: bool

    @property
    def address(self) -> str:
        """Where the agent finds the bridge."""
        return shown(self.host, self.port)


def shown(host: str, port: int) -> str:
    """Write an address and a port as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _BridgeFile(configargparse.ConfigFileParser):  # type: ignore[misc]  # it has no type hints
    """Reads the keys of `[bridge]`, and refuses whatever is none."""

    def parse(self, stream: TextIO) -> OrderedDict[str, str]:
        """Read the file. Raises ConfigFileParserException."""
        try:
            sections = parse_toml(stream.read())
        except (ConfigError, UnicodeDecodeError) as error:
            raise configargparse.ConfigFileParserException(f"{stream.name}: {error}") from None
        keys = sections.get(SECTION, {})
        if set(sections) - {SECTION} or not isinstance(keys, dict):
            raise configargparse.ConfigFileParserException(
                f"{stream.name}: has {', '.join(map(repr, sections))}; right is the section [{SECTION}] alone"
            )
        known = {option.name.replace("-", "_"): option.name for option in OPTIONS}
        for key, value in keys.items():
            if key not in known or isinstance(value, dict | list):
                raise configargparse.ConfigFileParserException(
                    f"{stream.name}: [{SECTION}] {key} = {value!r}; keys are {', '.join(known)}"
                )
        return OrderedDict((known[key], str(value)) for key, value in keys.items())


class _BridgeParser(configargparse.ArgumentParser):  # type: ignore[misc]  # it has no type hints
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


def load(arguments: Sequence[str], environment: Mapping[str, str], version: str) -> BridgeSettings:
    """Read the settings; raises ConfigError with a line for each thing that is wrong."""
    given = _given(arguments, environment, version)
    wrong: list[str] = [
        f"--{option.name} is not given: {option.help}"
        for option in OPTIONS
        if option.required and not given[option.name]
    ]
    if wrong:
        raise ConfigError(*wrong)
    host, port = _listen(str(given["listen"]))
    config = given["agent-config"]
    return BridgeSettings(
        url=_url(str(given["url"])),
        agent=_agent(str(given["agent"])),
        cert=Path(str(given["cert"])),
        key=Path(str(given["key"] or given["cert"])),
        ca=Path(str(given["ca"])),
        token_file=Path(str(given["token-file"])),
        host=host,
        port=port,
        timeout=_seconds(str(given["timeout"])),
        agent_config=Path(config) if config else None,
        log_level=_word("log-level", str(given["log-level"]), ("debug", "info", "warning", "error")),
        log_format=_word("log-format", str(given["log-format"]), ("text", "json")),
        check=bool(given["check"]),
    )


def _given(
    arguments: Sequence[str], environment: Mapping[str, str], version: str
) -> Mapping[str, str | None]:
    parser = _BridgeParser(
        prog="rcmon-bridge",
        description="Answer what an unmodified agent asks MonIT with what rcmon says, or not at all.",
        allow_abbrev=False,
        auto_env_var_prefix="RCMON_BRIDGE_",
        config_file_parser_class=_BridgeFile,
    )
    parser.add_argument("--version", action="version", version=f"rcmon-bridge {version}")
    parser.add_argument("--config", is_config_file=True, help=f"TOML file with the section [{SECTION}]")
    parser.add_argument(
        "--check",
        action="store_true",
        help="tell whether all fits together, print the lines of the agent's configuration, then leave",
    )
    for option in OPTIONS:
        ending = "" if option.default is None else f" (default: {option.default})"
        parser.add_argument(f"--{option.name}", default=option.default, help=option.help + ending)
    try:
        found = parser.parse_args(list(arguments), env_vars=dict(environment))
    except configargparse.ConfigFileParserException as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"--config: {error}") from None
    return {name.replace("_", "-"): value for name, value in vars(found).items()}


def _url(text: str) -> str:
    try:
        url = urlsplit(text)
        whole = url.scheme == "https" and url.hostname and url.port != 0 and url.username is None
    except ValueError:
        whole = False
    if not whole or url.query or url.fragment:
        raise ConfigError(f"--url: {text!r} is not where rcmon can be; right is https://HOST:PORT")
    return f"https://{url.netloc}"


def _agent(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ConfigError(
            f"--agent: {text!r} is no name; right are letters, digits, dot, dash and underscore"
        )
    return text


def _listen(text: str) -> tuple[str, int]:
    """Take a loopback address alone: whoever reaches the bridge could try tokens."""
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(host)
        number = int(port) if port.isascii() and port.isdecimal() else -1
    except ValueError:
        raise _not_loopback(text) from None
    mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None
    if not address.is_loopback or mapped or not 0 <= number <= 65535:  # noqa: PLR2004 - the last port
        raise _not_loopback(text)
    return str(address), number


def _not_loopback(text: str) -> ConfigError:
    return ConfigError(
        f"--listen: {text!r} is no loopback address and port; right is 127.0.0.1:PORT or [::1]:PORT"
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 1 <= seconds <= _LONGEST:
        raise ConfigError(f"--timeout: {text!r}; right are 1 to {_LONGEST:g} seconds")
    return seconds


def _word(name: str, text: str, words: tuple[str, ...]) -> str:
    if text not in words:
        raise ConfigError(f"--{name}: {text!r}; right is one of {', '.join(words)}")
    return text
