"""The documents of WMStats' view `agentInfo`: one `agent_info` for each agent. Pure."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from rcmon.errors import UNREADABLE, SourceError
from rcmon.model import AgentReport
from rcmon.reports import ReportError, read_agent_info
from rcmon.sources.http import json_of
from rcmon.sources.noting import Noting


class ViewRow(Struct, frozen=True):
    """A row of a CouchDB view."""

    value: Raw


class CouchView(Struct, frozen=True):
    """What a CouchDB view answers; a row may be anything."""

    rows: list[Raw]


def rows_of(content: bytes) -> Sequence[Raw]:
    """Read a view's rows. Raises SourceError."""
    try:
        content.decode()
    except UnicodeDecodeError:
        raise SourceError("the answer is no JSON: no text in UTF-8") from None
    rows = json_of(content, CouchView).rows
    if not rows:
        raise SourceError("the view holds no agent's document")
    return [row.copy() for row in rows]


def reports_of(rows: Sequence[Raw], now: float, findings: Noting) -> dict[str, AgentReport]:
    """Make out each agent's document, by the agent's short host name, sorted; of two the newer counts.

    One that cannot be made out is left out, and noted. Raises SourceError where none can.
    """
    reports: dict[str, AgentReport] = {}
    wrong: list[str] = []
    for row in rows:
        try:
            document = msgspec.json.decode(row, type=ViewRow).value
            report = read_agent_info(bytes(document), now)
        except (ReportError, *UNREADABLE) as error:
            wrong.append(str(error))
            continue
        name = short_name(report.host or "")
        if name not in reports or reports[name].time < report.time:
            reports[name] = report
    if not reports:
        raise SourceError(f"the view holds no agent's document that can be read: {wrong[0]}")
    if wrong:
        told = f"documents that cannot be read, the first because {wrong[0]}"
        findings.note("wmstats_document_unreadable", told, count=len(wrong))
    return dict(sorted(reports.items()))


def short_name(host: str) -> str:
    """Shorten a host to what agents are called by: vocms0254 of vocms0254.cern.ch; an address stays whole."""
    return host if host.replace(".", "").isdigit() else host.partition(".")[0]
