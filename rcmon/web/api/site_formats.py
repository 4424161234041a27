"""Sites as JSON, as lines of JSON, and as CSV, written piece by piece."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

from rcmon.documents.shapes import AgentSiteShape, JobCounts, SiteEntry, SitesDocument
from rcmon.documents.then import Then
from rcmon.web.api.site_query import SiteQuery

MEDIA_TYPES: Mapping[str, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
}
_AT_ONCE = 50
"""Sites written before other requests get their turn."""

Cell = str | int | None
_Column = tuple[str, Callable[[SiteEntry], Cell]]

_COLUMNS: Mapping[str, Sequence[_Column]] = {
    "name": [("name", lambda entry: entry.name)],
    "tier": [("tier", lambda entry: entry.tier)],
    "state": [("state", lambda entry: entry.state)],
    "states": [
        (
            "states",
            lambda entry: "; ".join(f"{state}: {' '.join(held)}" for state, held in entry.states.items()),
        )
    ],
    "running_slots": [("running_slots", lambda entry: entry.running_slots)],
    "pending_slots": [("pending_slots", lambda entry: entry.pending_slots)],
    "running_jobs": [("running_jobs", lambda entry: entry.jobs.running)],
    "pending_jobs": [("pending_jobs", lambda entry: entry.jobs.pending)],
    "jobs": [
        ("error_jobs", lambda entry: entry.jobs.error),
        ("complete_jobs", lambda entry: entry.jobs.complete),
        ("unknown_jobs", lambda entry: entry.jobs.unknown),
    ],
    "agents": [("agents", lambda entry: " ".join(entry.agents))],
}
"""The columns of CSV by the field they stand for."""


class SiteMembers(Struct, frozen=True):
    """The members of one site that `fields` asks for, as they are documented."""

    name: str | UnsetType = UNSET
    tier: str | UnsetType | None = UNSET
    state: str | UnsetType | None = UNSET
    states: Mapping[str, Sequence[str]] | UnsetType = UNSET
    running_slots: int | UnsetType | None = UNSET
    pending_slots: int | UnsetType | None = UNSET
    running_jobs: int | UnsetType | None = UNSET
    pending_jobs: int | UnsetType | None = UNSET
    jobs: JobCounts | UnsetType = UNSET
    agents: Mapping[str, AgentSiteShape] | UnsetType = UNSET


class SiteMembersDocument(Struct, frozen=True):
    """The same of all sites that are asked for."""

    timestamp: str | None
    count: int
    total: int
    next: str | None
    sites: Sequence[SiteMembers]
    past: Then | UnsetType = UNSET


class Listed(Struct, frozen=True):
    """The sites of one answer, and what a list says of itself."""

    timestamp: str | None
    """Begin of the cycle."""
    total: int
    """How many were asked for, before the list was cut."""
    next: str | None
    """Where it goes on."""
    sites: Sequence[SiteEntry]
    past: Then | UnsetType = UNSET
    """Of which past moment they are."""


async def write(listed: Listed, wanted: SiteQuery) -> AsyncIterator[bytes]:
    """Write the sites in the wanted format."""
    sites = listed.sites
    head, between, tail = _frame(listed, wanted)
    line = _row(wanted) if wanted.format == "csv" else _object(wanted)
    yield head
    for index, entry in enumerate(sites):
        yield line(entry) if index == 0 else between + line(entry)
        if index % _AT_ONCE == 0:
            await asyncio.sleep(0)
    yield tail


def _frame(listed: Listed, wanted: SiteQuery) -> tuple[bytes, bytes, bytes]:
    """Give what stands before, between and behind the sites."""
    count = len(listed.sites)
    if wanted.format == "csv":
        return _csv_line([name for name, _ in _columns(wanted)]), b"", b""
    if wanted.format == "ndjson":
        return b"", b"\n", b"\n" if count else b""
    document = SitesDocument(listed.timestamp, count, listed.total, listed.next, listed.past, ())
    head = msgspec.json.encode(document)
    if not wanted.pretty:
        return head.removesuffix(b"]}"), b",", b"]}\n"
    if not count:
        return msgspec.json.format(head, indent=2), b"", b"\n"
    return msgspec.json.format(head, indent=2).removesuffix(b"]\n}") + b"\n    ", b",\n    ", b"\n  ]\n}\n"


def _object(wanted: SiteQuery) -> Callable[[SiteEntry], bytes]:
    """Make what writes one site as JSON."""
    decoder, encoder = msgspec.json.Decoder(dict[str, msgspec.Raw]), msgspec.json.Encoder()

    def line(entry: SiteEntry) -> bytes:
        text = entry.document
        if wanted.fields:
            members = decoder.decode(text)
            text = encoder.encode({name: members[name] for name in members if name in wanted.fields})
        if wanted.pretty and wanted.format == "json":
            text = msgspec.json.format(text, indent=2).replace(b"\n", b"\n    ")
        return text

    return line


def _row(wanted: SiteQuery) -> Callable[[SiteEntry], bytes]:
    """Make what writes one site as a line of CSV."""
    columns = _columns(wanted)
    return lambda entry: _csv_line([value(entry) for _, value in columns])


def _columns(wanted: SiteQuery) -> list[_Column]:
    return [
        column
        for field, columns in _COLUMNS.items()
        if field in (wanted.fields or _COLUMNS)
        for column in columns
    ]


def _csv_line(cells: Sequence[Cell]) -> bytes:
    """Write a line as RFC 4180 says; what is not known is an empty cell."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()
