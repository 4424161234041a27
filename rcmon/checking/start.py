"""Everything that a configuration names, read and found right before anything is started."""

from pathlib import Path

from msgspec import Struct, structs
from sqlalchemy.engine import URL, make_url

from rcmon.access.authority.crl import CrlMode
from rcmon.access.authority.rules import RuleFiles
from rcmon.access.handshake.ca_names import CaNames
from rcmon.access.handshake.rehearsal import self_test
from rcmon.access.trust import Trust, TrustFiles
from rcmon.config import Config
from rcmon.demo.demo import Demo
from rcmon.errors import ConfigError
from rcmon.files.follower import Follower
from rcmon.files.reading import FileError, read_password
from rcmon.files.stamp import UNSEEN, stamp_of
from rcmon.sources.config import SourceSet, read_sources
from rcmon.steering import ControlSettings, follow_control


class Checked(Struct, frozen=True):
    """What a configuration names, read and found right."""

    config: Config
    trust: Trust
    store_url: URL
    sources: Follower[SourceSet]
    control: Follower[ControlSettings]
    """How far agents are steered."""
    demo: Demo | None


def check(config: Config, demo: Demo | None) -> Checked:
    """Read everything that the configuration names; raises ConfigError for the first thing that is wrong."""
    self_test()
    trust = Trust(trust_files(config))
    return Checked(
        config,
        trust,
        store_url(config),
        follow_sources(config, demo),
        follow_control(Path(config.control_file)),
        demo,
    )


def follow_sources(config: Config, demo: Demo | None) -> Follower[SourceSet]:
    """Make the sources of the sources file, to be followed; the demo's stay. Raises ConfigError."""
    path = Path(config.sources_file)
    return Follower(
        "sources",
        lambda: stamp_of(path) if demo is None else UNSEEN,
        lambda current: _sources(path, demo, current),
    )


def missing(config: Config) -> str | None:
    """Say which options are missing without which nothing is served; None: none is."""
    names = [
        f"--{name}"
        for name in ("tls-cert", "tls-key", "tls-ca")
        if getattr(config, name.replace("-", "_")) is None
    ]
    if not names:
        return None
    return (
        f"{', '.join(names)}: missing; rcmon serves over mutual TLS only:"
        " give --tls-cert, --tls-key and --tls-ca, or try --demo"
    )


def rule_files(config: Config) -> RuleFiles:
    """Name the files that decide which certificates of clients are good."""
    return RuleFiles(
        authorities=Path(str(config.tls_ca)),
        proxies=config.tls_proxies == "accept",
        crl=CrlMode(config.tls_crl),
        crl_file=Path(config.tls_crl_file) if config.tls_crl_file else None,
        vomsdir=Path(config.vomsdir) if config.vomsdir else None,
    )


def trust_files(config: Config) -> TrustFiles:
    """Name the files of certificates, lists and roles. Raises ConfigError where an option is missing."""
    if lacking := missing(config):
        raise ConfigError(lacking)
    return TrustFiles(
        certificate=Path(str(config.tls_cert)),
        key=Path(str(config.tls_key)),
        roles=Path(config.roles_file),
        ca_names=CaNames(config.tls_ca_names),
        **structs.asdict(rule_files(config)),
    )


def store_url(config: Config) -> URL:
    """Give the store's URL, with its password where that stands in a file of its own."""
    if config.database is None:
        return URL.create("sqlite", database=str(Path(config.state_dir).resolve() / "rcmon.sqlite"))
    url = make_url(config.database)
    if config.database_password_file is None:
        return url
    try:
        password = read_password(Path(config.database_password_file))
    except FileError as error:
        raise ConfigError(
            f"--database-password-file: {config.database_password_file!r} cannot be read: {error}"
        ) from None
    return url.set(password=password)


def _sources(path: Path, demo: Demo | None, current: SourceSet | None) -> SourceSet:
    if demo is not None and demo.shape is not None:
        return SourceSet(tuple(demo.synthetic_sources()))
    return read_sources(path, current)
