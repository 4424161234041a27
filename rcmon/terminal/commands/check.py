"""`rcmon-cli check`: a plug-in for Nagios, Icinga and the like: one line, figures, and an exit code."""

from collections import Counter
from collections.abc import Mapping

import click
from msgspec import Struct

from rcmon.terminal.answers import as_type
from rcmon.terminal.commands.listing import agent_option, query_of, site_option
from rcmon.terminal.failure import TerminalError
from rcmon.terminal.output import Output
from rcmon.terminal.session import Session, asking
from rcmon.terminal.shapes import FindingSeen, StatusSeen
from rcmon.terminal.words import clean, plural

OK, WARNING, CRITICAL, UNKNOWN = range(4)
NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
"""As https://www.monitoring-plugins.org/doc/guidelines.html has them, by exit code."""
MEANINGS: Mapping[int, str] = {
    OK: "The service is healthy, and no finding of severity critical or warning waits for somebody.",
    WARNING: "The service is degraded, or a finding of severity warning waits for somebody.",
    CRITICAL: "The service is unhealthy, or a critical finding waits for somebody.",
    UNKNOWN: "It could not be asked: whatever ends another command.",
}
_LEVELS = {"healthy": OK, "degraded": WARNING, "unhealthy": CRITICAL}
_SEVERITIES = {"critical": CRITICAL, "warning": WARNING}
_TOLD = 3
_LATE, _TOO_OLD = 2, 5
"""Intervals after which the service calls its snapshot late, and too old."""


class CheckResult(Struct, frozen=True):
    """What is to be told."""

    code: int
    words: str
    figures: Mapping[str, str]

    @property
    def line(self) -> str:
        """Write it: whatever stands behind the bar is figures, so no bar stands before it."""
        figures = " ".join(f"{name}={value}" for name, value in self.figures.items())
        return f"RCMON {NAMES[self.code]} - {clean(self.words).replace('|', '/')} | {figures}"


def judge(status: StatusSeen, waiting: list[FindingSeen], *, whole: bool) -> CheckResult:
    """Say how bad it is; `whole`: the service's own state counts as well, not these findings alone."""
    worst, bad = (
        [f"{severity}: {one.message}" for one in waiting if one.severity == severity]
        for severity in ("critical", "warning")
    )
    own_reasons: list[str] = []
    codes = [_SEVERITIES.get(one.severity or "", OK) for one in waiting]
    own = _LEVELS.get(status.status, UNKNOWN)
    too_old = status.age is None or status.age > _LATE * status.cycle_interval
    if whole or too_old:
        codes.append(own)
        own_reasons = list(status.reasons)
    reasons = [*worst, *own_reasons, *bad]
    code = CRITICAL if CRITICAL in codes else max(codes, default=OK)
    counts = Counter(one.severity for one in waiting)
    words = "; ".join(reasons[:_TOLD]) or f"{status.status}, {plural(len(waiting), 'finding')} of no weight"
    if len(reasons) > _TOLD:
        words += f"; and {len(reasons) - _TOLD} more"
    figures = {
        "age": "U" if status.age is None else _age(status),
        **{f"findings_{name}": f"{counts[name]};;;0;" for name in ("critical", "warning", "info")},
    }
    return CheckResult(code, words, figures)


def _age(status: StatusSeen) -> str:
    return f"{status.age:.0f}s;{_LATE * status.cycle_interval:g};{_TOO_OLD * status.cycle_interval:g};0;"


@click.command()
@site_option
@agent_option
@asking(form=False)
def check(session: Session, site: tuple[str, ...], agent: tuple[str, ...]) -> None:
    """Check as a plug-in of Nagios does: one line with figures, exit code 0, 1, 2 or 3.

    It tells of the service and of findings that nobody acknowledged; with --site or --agent of those findings
    alone, and of the service only where what it shows is too old.
    """
    query = query_of(site=site, agent=agent, acknowledged="no")
    try:
        status = session.status()
        found = session.client.pages("/findings", "findings", query)
        waiting = as_type(found.items, list[FindingSeen], "the list of findings")
        verdict = judge(status, waiting, whole=not (site or agent))
    except TerminalError as error:
        verdict = CheckResult(UNKNOWN, str(error), {"age": "U"})
    Output("table").write(f"{verdict.line}\n")
    click.get_current_context().exit(verdict.code)
