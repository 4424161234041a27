"""The options: one visible table from which the parser, the file reader and the documentation are made."""

from collections.abc import Callable

from msgspec import Struct

from rcmon.config.values import (
    DAY,
    Number,
    OneOf,
    Value,
    addresses,
    any_text,
    boolean,
    host_names,
    name,
    one_of,
    seconds,
    text,
    whole,
)
from rcmon.errors import ConfigError


class Option(Struct, frozen=True):
    """One option, settable on the command line, by `RCMON_…` and, where it has a section, in the file."""

    name: str
    """Its name on the command line, without the leading dashes."""
    section: str | None
    """Its section in the configuration file; None: command line and environment only."""
    default: Value
    convert: Callable[[str], Value]
    """From text to value; raises ValueError whose message says what would be right."""
    help: str
    flag: bool = False
    """Whether it stands alone on the command line."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that it takes; none where it takes others."""
        return self.convert.words if isinstance(self.convert, OneOf) else ()

    @property
    def stands_for(self) -> str:
        """What stands for its value in the help."""
        return self.convert.unit if isinstance(self.convert, Number) else self.key.upper()

    @property
    def attribute(self) -> str:
        """Its name as a field of Config."""
        return self.name.replace("-", "_")

    @property
    def key(self) -> str:
        """Its key in its section: the section's name is not repeated."""
        return self.name.removeprefix(f"{self.section}-").replace("-", "_")

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return "RCMON_" + self.name.upper().replace("-", "_")


OPTIONS: tuple[Option, ...] = (
    Option(
        "host",
        "server",
        "0.0.0.0",  # noqa: S104 - a server listens
        any_text,
        'address or host name to listen on; 0.0.0.0 is all of IPv4, :: all of IPv6, "" all of both',
    ),
    Option("port", "server", 5000, whole(0, 65535), "port to listen on; 0 takes a free one"),
    Option(
        "allowed-hosts",
        "server",
        "",
        host_names,
        "names, with commas between, that a request's Host may have beside those of the certificate, the"
        " machine's own, addresses, names without a dot or of an inner network; *.NAME: one label"
        " before NAME; *: any",
    ),
    Option(
        "workers",
        "server",
        0,
        whole(0, 256),
        "web processes; 0: one per core that we may use; 1: everything in one process",
    ),
    Option("state-dir", "server", "var", text, "directory of what rcmon keeps"),
    Option(
        "replica-name",
        "server",
        None,
        name,
        "what this replica is called among those that share a store; default: HOST:STATE_DIR",
    ),
    Option(
        "shutdown-grace", "server", 15.0, seconds(1, 600), "seconds for requests in flight to end at a stop"
    ),
    Option(
        "hang-timeout",
        "server",
        30.0,
        seconds(5, 600),
        "a process that shows no life for so long is replaced",
    ),
    Option(
        "recycle-memory",
        "server",
        2 << 30,
        whole(0, 1 << 44),
        "bytes of memory from which a process is replaced, having drained; 0: never",
    ),
    Option(
        "recycle-files",
        "server",
        1000,
        whole(0, 1_000_000),
        "open files, beside its connections, from which a process is replaced likewise; 0: never",
    ),
    Option(
        "short-way",
        "server",
        default=True,
        convert=boolean,
        help="answer plain requests from ready bytes without Tornado's parser",
    ),
    Option("tls-cert", "tls", None, text, "server certificate (PEM, with its chain)"),
    Option(
        "tls-key",
        "tls",
        None,
        text,
        "private key of the server certificate (PEM, readable by its owner only)",
    ),
    Option("tls-ca", "tls", None, text, "CAs of the clients: a PEM file or a hashed directory"),
    Option(
        "tls-ca-names",
        "tls",
        "auto",
        one_of("auto", "yes", "no"),
        "whether clients are told the names of these CAs, so that browsers offer the right certificate; every"
        " handshake carries them, some 100 octets each: auto tells them up to 4 KB, yes up to 30 KB",
    ),
    Option("tls-proxies", "tls", "accept", one_of("accept", "refuse"), "RFC 3820 proxy certificates"),
    Option(
        "tls-crl", "tls", "if-present", one_of("require", "if-present", "off"), "revocation lists of the CAs"
    ),
    Option("tls-crl-file", "tls", None, text, "file of revocation lists, beside those in a hashed directory"),
    Option("tls-handshake-timeout", "tls", 5.0, seconds(0.5, 60), "seconds a client has for its handshake"),
    Option(
        "vomsdir",
        "access",
        None,
        text,
        "directory of VOMS .lsc files; without it no VOMS attribute is believed",
    ),
    Option("roles-file", "access", "conf/roles.toml", text, "who holds which role"),
    Option("sources-file", "collector", "conf/sources.toml", text, "what is polled"),
    Option(
        "control-file",
        "control",
        "conf/control.toml",
        text,
        "how far agents are steered, and what the guard lets pass; nobody is where it is not there",
    ),
    Option("cycle-interval", "collector", 60.0, seconds(1, 3600), "seconds between the starts of two cycles"),
    Option(
        "cycle-budget",
        "collector",
        0.6,
        Number(0.05, 0.95, "a share", "SHARE"),
        "share of the interval that a cycle waits for its polls; later ones join a later cycle",
    ),
    Option(
        "stale-after",
        "collector",
        3600.0,
        seconds(1, 30 * DAY),
        "seconds after which a failing source's data go",
    ),
    Option(
        "history-retention", "collector", 365 * DAY, seconds(0, 3650 * DAY), "seconds that history is kept"
    ),
    Option(
        "history-raw-retention",
        "collector",
        30 * DAY,
        seconds(0, 3650 * DAY),
        "seconds that every change is kept; after that, what held at each quarter of an hour",
    ),
    Option(
        "journal-retention",
        "collector",
        365 * DAY,
        seconds(0, 3650 * DAY),
        "seconds that the journal of changes is kept",
    ),
    Option(
        "finding-raise-after",
        "collector",
        2,
        whole(1, 1000),
        "cycles in a row in which something is found until it is told as a finding",
    ),
    Option(
        "finding-clear-after",
        "collector",
        3,
        whole(1, 1000),
        "cycles in a row in which it is not found any more until a finding ends",
    ),
    Option(
        "metrics-task-zeros",
        "metrics",
        default=True,
        convert=boolean,
        help="whether a class of jobs of which a task type has none at a site is a sample with 0, or none",
    ),
    Option(
        "metrics-replicas",
        "metrics",
        None,
        addresses,
        "HOST:PORT of every replica, with commas, where Prometheus is to scrape its own part; default: where"
        " it asked for its targets",
    ),
    Option("database", "store", None, text, "SQLAlchemy URL; default: SQLite under the state directory"),
    Option("database-password-file", "store", None, text, "file with the password for the database URL"),
    Option("max-connections", "limits", 4000, whole(1, 1_000_000), "open connections a web process takes"),
    Option("max-connections-per-address", "limits", 1000, whole(1, 1_000_000), "of them from one address"),
    Option("max-connections-per-identity", "limits", 1000, whole(1, 1_000_000), "of them by one identity"),
    Option(
        "max-handshakes",
        "limits",
        1000,
        whole(2, 1_000_000),
        "handshakes that a web process has under way; half of them from one address",
    ),
    Option(
        "max-request-rate-per-identity",
        "limits",
        2000.0,
        Number(0, 1_000_000, "requests a second", "RATE"),
        "requests a second that a web process answers one identity for long; 0: as many as come",
    ),
    Option(
        "max-body-memory",
        "limits",
        64 << 20,
        whole(4 << 20, 1 << 36),
        "bytes of requests' bodies that a web process holds at a time",
    ),
    Option(
        "max-body-memory-per-identity", "limits", 8 << 20, whole(4 << 20, 1 << 36), "of them by one identity"
    ),
    Option("max-streams", "limits", 1000, whole(1, 1_000_000), "streams of events a web process keeps open"),
    Option("max-streams-per-identity", "limits", 100, whole(1, 1_000_000), "of them by one identity"),
    Option(
        "request-timeout", "limits", 10.0, seconds(1, 600), "seconds a client has to send a whole request"
    ),
    Option("idle-timeout", "limits", 75.0, seconds(1, 3600), "seconds an idle connection is kept"),
    Option(
        "write-timeout", "limits", 30.0, seconds(1, 600), "seconds without progress until an answer is cut"
    ),
    Option(
        "log-level",
        "log",
        "info",
        one_of("debug", "info", "warning", "error"),
        "least severity that is logged",
    ),
    Option("log-file", "log", None, text, "file to log to; default: standard error"),
    Option("log-format", "log", "text", one_of("text", "json"), "form of a log line"),
    Option(
        "log-rotate-size", "log", 0, whole(0, 1 << 40), "bytes after which the log file is rotated; 0: never"
    ),
    Option("log-rotate-keep", "log", 5, whole(1, 1000), "rotated log files that are kept"),
    Option("log-access", "log", "all", one_of("all", "slow", "off"), "which requests are logged"),
    Option("log-access-sample", "log", 1, whole(1, 1_000_000), "log one of so many requests; errors always"),
    Option("log-slow", "log", 1.0, seconds(0, 600), "seconds from which a request counts as slow"),
    Option(
        "check-config",
        None,
        default=False,
        convert=boolean,
        help="check the configuration and all that it names, say everything that is wrong, then leave",
        flag=True,
    ),
    Option(
        "probe",
        None,
        default=False,
        convert=boolean,
        help="with --check-config: also connect to every source and the store",
        flag=True,
    ),
    Option(
        "print-config",
        None,
        default=False,
        convert=boolean,
        help="print every value and where it came from, as TOML without secrets, then leave",
        flag=True,
    ),
    Option(
        "print-example",
        None,
        None,
        text,
        "print a file to begin with, such as sources.toml or prometheus/alerts.yml, then leave",
    ),
    Option(
        "demo",
        None,
        default=False,
        convert=boolean,
        help="serve a made-up grid with made-up certificates under STATE_DIR/demo",
        flag=True,
    ),
    Option(
        "synthetic", None, None, text, "with --demo: serve a generated grid of SITESxAGENTS, such as 150x10"
    ),
)


def by_place() -> dict[tuple[str, str], Option]:
    """Index the options that may stand in the file by (section, key)."""
    return {(option.section, option.key): option for option in OPTIONS if option.section}


def read(option: Option, value: str, origin: str) -> Value:
    """Convert a text that came from `origin`; raises ConfigError naming option and value."""
    try:
        return option.convert(value)
    except ValueError as error:
        raise ConfigError(f"--{option.name} ({origin}): {value!r} is not {error}") from None
