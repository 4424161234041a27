"""What every command works with: the service, and the output; both made of options that stand anywhere."""

import functools
import math
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

import click

from rcmon.terminal.address import base_of
from rcmon.terminal.answers import as_type
from rcmon.terminal.client import Client
from rcmon.terminal.credentials import Surroundings, find, searched
from rcmon.terminal.failure import USAGE, TerminalError
from rcmon.terminal.output import Form, Output
from rcmon.terminal.shapes import StatusSeen
from rcmon.terminal.trusting import authorities, context
from rcmon.terminal.words import clean, lasting

_META = "rcmon.terminal."
LATE = 2
"""Intervals after which the next snapshot is late, as the service has it."""
_LONGEST = 600.0

P = ParamSpec("P")


class Session:
    """One command's service and output."""

    def __init__(self, form: Form, options: dict[str, Any], where: Surroundings) -> None:
        self.out = Output(form)
        self._options, self._where = options, where
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The service; nothing is looked for before somebody wants to ask it. Raises TerminalError."""
        if self._client is None:
            self._client = self.connect()
        return self._client

    def connect(self, seconds: float | None = None, *, ask: bool = True) -> Client:
        """Make another client of the same service. Raises TerminalError.

        `ask`: for a pass phrase, where the key has one.
        """
        base = base_of(self._options.get("url") or self._where.environment.get("RCMON_URL"))
        found = find(self._options.get("cert"), self._options.get("key"), self._where)
        trusted = authorities(self._options.get("ca"), self._where)
        limit = self._options.get("timeout", 30.0) if seconds is None else seconds
        return Client(base, context(found, trusted, ask=ask), limit, str(found.certificate))

    def close(self) -> None:
        """Let go of the service."""
        if self._client is not None:
            self._client.close()

    def status(self) -> StatusSeen:
        """Ask how the service does."""
        return as_type(self.client.get("/status").document, StatusSeen, "the service's status")

    def say_age(self, what: str, timestamp: str | None, *, aside: bool = False) -> None:
        """Say under a table how many there are and how old they are; to programs, only that they are old.

        Old data are never shown as new, whatever the form. `aside`: the output is like a program's.
        """
        for_people = self.out.form == "table" and not aside
        try:
            status = self.status()
        except TerminalError as error:
            self.note(f"{what}, as of {timestamp}; how old that is, is not known: {error}")
            return
        age = status.age
        late = age is None or age > LATE * status.cycle_interval
        told = f"as of {timestamp or status.timestamp or 'no cycle yet'}" + (
            f", {lasting(age)} old" if age is not None else ""
        )
        if late:
            self.note(f"these data are late: {told}")
        elif for_people:
            self.out.line(f"{what}, {told}", "dim")
        if for_people and status.reasons:
            more = (
                f" (and {len(status.reasons) - 1} more: rcmon-cli check)" if len(status.reasons) > 1 else ""
            )
            self.out.line(f"{status.status}: {status.reasons[0]}{more}", "yellow")

    def note(self, text: str) -> None:
        """Say something beside the output, on standard error."""
        click.echo(f"rcmon-cli: {clean(text)}", err=True)


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Keep an option for whichever command comes: the last that is given counts."""
    if value is not None:
        context.meta[f"{_META}{parameter.name}"] = value


def _seconds(context: click.Context, parameter: click.Parameter, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and 0 < value <= _LONGEST):
        raise click.BadParameter(f"{value:g} is not a time; right are seconds above 0, at most {_LONGEST:g}.")
    _keep(context, parameter, value)


_kept = functools.partial(click.option, callback=_keep, expose_value=False)
"""Makes an option that is kept for the session, and is no parameter of the command."""

_CONNECTION = (
    _kept(
        "--url",
        metavar="URL",
        help="Where rcmon is, such as https://HOST:5000; else RCMON_URL.",
    ),
    _kept(
        "--cert",
        metavar="FILE",
        type=click.Path(),
        help="Your certificate or proxy (PEM); else X509_USER_PROXY, /tmp/x509up_uUID, X509_USER_CERT,"
        " ~/.globus/usercert.pem.",
    ),
    _kept(
        "--key",
        metavar="FILE",
        type=click.Path(),
        help="Its key, where it does not stand with the certificate.",
    ),
    _kept(
        "--ca",
        metavar="PATH",
        type=click.Path(),
        help="CAs of the service: a PEM file or a hashed directory; else X509_CERT_DIR,"
        " /etc/grid-security/certificates, the system's.",
    ),
    _kept(
        "--timeout",
        metavar="SECONDS",
        type=float,
        callback=_seconds,
        help="Seconds that an answer may take; 30.",
    ),
)

_FORM = _kept(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "csv"]),
    help="Form of the output: a table for people, what the service said as JSON, or CSV.",
)


def connection(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of whom to ask, and as whom."""
    for option in reversed(_CONNECTION):
        function = option(function)
    return function


def asking(*, form: bool = True) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[P, None]]:
    """Give a command its session, and the options of that; `form`: whether its output has several forms."""

    def decorate(function: Callable[Concatenate[Session, P], None]) -> Callable[P, None]:
        @functools.wraps(function)
        def command(*args: P.args, **kwargs: P.kwargs) -> None:
            session = make_session(click.get_current_context())
            try:
                function(session, *args, **kwargs)
            finally:
                session.close()

        decorated = connection(command)
        return _FORM(decorated) if form else decorated

    return decorate


def make_session(current: click.Context) -> Session:
    """Make a session of what was said on the command line so far."""
    options = {
        name.removeprefix(_META): value for name, value in current.meta.items() if name.startswith(_META)
    }
    return Session(options.get("output", "table"), options, searched())


def no_csv(session: Session, command: str) -> None:
    """Refuse CSV for what is no list."""
    if session.out.form == "csv":
        raise TerminalError(f"{command} is no list, and has no CSV; right is -o table or -o json", USAGE)
