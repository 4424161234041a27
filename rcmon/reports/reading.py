"""Reading what an agent sent: bytes of unknown origin to a report, or a sentence about what is wrong.

A document that was pushed is taken as a whole or not at all. One of WMStats' may be of any age: there a part
that is not what it should be is left out, and told as a warning.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, structs

from rcmon.errors import RcmonError
from rcmon.model import AgentReport, Submission, SubmitReport
from rcmon.model.freshness import AHEAD
from rcmon.reports.agent_info import AgentInfo, By, Count, Name
from rcmon.reports.meaning import report_of

AGENT_INFO, SUBMIT_REPORT = "agent_info", "submit_report"
KINDS: Mapping[str, str] = {
    AGENT_INFO: "what WMStats has of an agent, with `agent_url` and `timestamp`",
    SUBMIT_REPORT: 'JobSubmitter\'s site report, {site: {task: {token: jobs, "submitted": jobs}}}',
}
"""What can be reported."""
EARLIEST = 946_684_800.0
"""Nothing was reported before the year 2000."""
SUBMITTED = "submitted"
"""The token of jobs that were submitted; the others say why jobs were not."""

_Tokens = Annotated[Mapping[Name, Count], Meta(max_length=200)]
_Tasks = Annotated[Mapping[Name, _Tokens], Meta(max_length=200)]
_Sites = By[_Tasks]
_REQUIRED = ("agent_url", "timestamp")

T = TypeVar("T")


class ReportError(RcmonError):
    """What was sent is no report."""


class NotJson(ReportError):  # noqa: N818 - says what it is
    """It is not even JSON."""


class NotReport(ReportError):  # noqa: N818 - as above
    """It is JSON, and no report."""


class Understood(Struct, frozen=True):
    """A report, and its kind, one of KINDS."""

    kind: str
    report: AgentReport | SubmitReport


class _Probe(Struct):
    """What tells the two kinds apart: no site is named like these."""

    type: Raw | UnsetType = UNSET
    agent_url: Raw | UnsetType = UNSET
    timestamp: Raw | UnsetType = UNSET


def understand(body: bytes, now: float) -> Understood:
    """Read what an agent pushed at `now`, seconds since the epoch. Raises NotJson and NotReport.

    JobSubmitter's report bears no time: it is from `now`.
    """
    _check_text(body)
    try:
        probe = _decode(body, _Probe)
    except NotReport:
        raise NotReport(f"it is no JSON object; a report is {_either()}") from None
    if probe.type is UNSET and probe.agent_url is UNSET and probe.timestamp is UNSET:
        return Understood(SUBMIT_REPORT, _submit_report(_decode(body, _Sites, SUBMIT_REPORT), now))
    return Understood(AGENT_INFO, _timely(report_of(_decode(body, AgentInfo, AGENT_INFO)), now))


def read_agent_info(document: bytes, now: float) -> AgentReport:
    """Read a document of WMStats, whose parts may be of another age. Raises NotJson and NotReport."""
    _check_text(document)
    wrong: list[str] = []
    fields = _decode(document, dict[str, Raw], AGENT_INFO)
    kept = {name: fields[name] for name in AgentInfo.__struct_fields__ if name in fields}
    while True:
        try:
            info = msgspec.json.decode(msgspec.json.encode(kept), type=AgentInfo)
        except msgspec.DecodeError as error:
            field = str(error).rpartition("`$.")[2].rstrip("`").partition(".")[0].partition("[")[0]
            if field in _REQUIRED or field not in kept:
                raise NotReport(_told(error, AGENT_INFO)) from error
            del kept[field]
            wrong.append(f"what it says of {field} cannot be read: {error}")
        else:
            report = _timely(report_of(info), now)
            return structs.replace(report, warnings=(*report.warnings, *wrong))


def _check_text(body: bytes) -> None:
    """Hold that it is UTF-8: of what is skipped, msgspec would not say that it is not."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise NotJson(f"it is not UTF-8: octet 0x{body[error.start]:02x} at {error.start}") from None


def _decode(body: bytes, wanted: Any, kind: str | None = None) -> Any:
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise NotReport(_told(error, kind)) from error
    except msgspec.DecodeError as error:
        raise NotJson(f"it is no JSON: {error}") from error
    except RecursionError:
        raise NotJson("it is nested too deeply") from None


def _told(error: Exception, kind: str | None) -> str:
    return f"{error}; {kind} is {KINDS[kind]}" if kind else str(error)


def _either() -> str:
    return " or ".join(KINDS.values())


def _timely(report: AgentReport, now: float) -> AgentReport:
    """Hold that its time can be true, and that it says where it is from."""
    if report.host is None:
        raise NotReport("agent_url names no host; it is that of the agent, such as vocms0254.cern.ch")
    if report.time < EARLIEST:
        raise NotReport(f"timestamp {report.time:g} is before the year 2000; it is in seconds since 1970")
    if report.time > now + AHEAD:
        raise NotReport(
            f"timestamp {report.time:.0f} is {report.time - now:.0f} s ahead of the clock here ({now:.0f}),"
            f" more than {AHEAD:g} s; it is in seconds since 1970"
        )
    return report


def _submit_report(sites: Mapping[str, Mapping[str, Mapping[str, int]]], now: float) -> SubmitReport:
    return SubmitReport(
        time=now,
        sites={
            site: {task: _submission(tasks[task]) for task in sorted(tasks)}
            for site, tasks in sorted(sites.items())
        },
    )


def _submission(tokens: Mapping[str, int]) -> Submission:
    refused = {token: jobs for token, jobs in sorted(tokens.items()) if token != SUBMITTED}
    return Submission(submitted=tokens.get(SUBMITTED, 0), refused=refused)
