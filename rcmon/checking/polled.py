"""The sources: databases that are not there, hosts that are not known, one database under two names."""

import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy.engine import URL

from rcmon.checking.places import is_open_to_others
from rcmon.checking.report import Report
from rcmon.config import Config
from rcmon.demo.demo import Demo
from rcmon.errors import ConfigError
from rcmon.sources.base import Source, SourceConfig
from rcmon.sources.config import build_sources, load_sources
from rcmon.sources.database.address import address
from rcmon.sources.http.settings import HTTPConfig, base_of

_AT_ONCE = 16
"""Names that are looked up at the same time: each may take the resolver's patience."""


def examine_sources(config: Config, demo: Demo | None, report: Report) -> Sequence[Source]:
    """Examine them; returns the sources, none where they cannot be made."""
    if demo is not None and demo.shape is not None:
        made = demo.synthetic_sources()
        report.tell(f"sources: {len(made)} made up")
        return made
    found: list[Source] = []
    with report.refusing():
        configs = load_sources(Path(config.sources_file))
        found += build_sources(configs)
        if demo is None:
            _examine_places_of(configs, report)
        for each in configs:
            if each.timeout > config.cycle_interval:
                report.warn(
                    f"source {each.name}: its timeout of {each.timeout:g} s is longer than a cycle"
                    f" ({config.cycle_interval:g} s): while it hangs its data are older than a cycle"
                )
        kinds = Counter(source.kind for source in found)
        named = ", ".join(source.name for source in found)
        report.tell("sources: " + ", ".join(f"{kinds[kind]} {kind}" for kind in kinds) + f" ({named})")
    return found


def _examine_places_of(configs: Sequence[SourceConfig], report: Report) -> None:
    urls = {each.name: url for each in configs if (url := _url(each)) is not None}
    known: dict[tuple[object, ...], str] = {}
    for each in configs:
        for warning in _secret_warnings(each):
            report.warn(f"source {each.name}: {warning}")
        if (url := urls.get(each.name)) is None:
            continue
        if (file := _file(url)) is not None and not file.is_file():
            report.warn(f"source {each.name}: there is no SQLite file {file}")
        if (first := known.setdefault(_identity(url), each.name)) != each.name:
            report.warn(f"sources {first} and {each.name} are one database: what it holds counts twice")
    _examine_hosts({each.name: host for each in configs if (host := _host(each))}, report)


def _examine_hosts(of_source: Mapping[str, str], report: Report) -> None:
    hosts = sorted(set(of_source.values()))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        unknown = {host: why for host, why in zip(hosts, pool.map(unknown_host, hosts), strict=True) if why}
    for name, host in of_source.items():
        if host in unknown:
            report.warn(f"source {name}: host {host!r} is not known ({unknown[host]})")


def _url(config: SourceConfig) -> URL | None:
    """Give the database of a source; None for a kind that has none."""
    text = getattr(config, "url", None)
    try:
        return address(text).url if isinstance(text, str) and not isinstance(config, HTTPConfig) else None
    except ConfigError:
        return None


def _host(config: SourceConfig) -> str | None:
    """Give the host that a source is asked at; None: it has none."""
    if isinstance(config, HTTPConfig):
        return base_of(config.url).host
    url = _url(config)
    return url.host if url is not None else None


def _file(url: URL) -> Path | None:
    return Path(str(url.database)).absolute() if url.get_backend_name() == "sqlite" else None


def _identity(url: URL) -> tuple[object, ...]:
    """Tell databases apart: by the file that a path leads to, else by all but the user."""
    if (file := _file(url)) is not None:
        return ("sqlite", file.resolve())
    return (url.get_backend_name(), url.host, url.port, url.database, tuple(sorted(url.query.items())))


def _secret_warnings(config: SourceConfig) -> Iterator[str]:
    for setting in ("password_file", "token_file", "key"):
        file = getattr(config, setting, None)
        if isinstance(file, Path) and is_open_to_others(file):
            yield f"{setting} {file} can be read by others; do: chmod 600 {file}"


def unknown_host(host: str) -> str | None:
    """Say why a host name leads nowhere; None: it leads somewhere."""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError) as error:
        return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return None
