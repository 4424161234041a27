"""The statements, and what they give: everything that is read of an agent, as rows."""

import re
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from itertools import islice

from msgspec import Struct

from rcmon.sources.database import DatabaseReader, Row
from rcmon.sources.wmagent.values import whole

CHUNK = 1000
"""Most subscriptions that one statement names; Oracle takes no more."""


class Reading(Struct, frozen=True):
    """The rows of the statements in `rcmon/sources/wmagent/queries`, each field that of one file."""

    sites: Sequence[Row]
    site_states: Sequence[Row]
    task_types: Sequence[Row]
    thresholds: Sequence[Row]
    pnns: Sequence[Row]
    job_states: Sequence[Row]
    batch_statuses: Sequence[Row]
    active_jobs: Sequence[Row]
    assigned_jobs: Sequence[Row]
    unassigned_jobs: Sequence[Row]
    jobs_by_state: Sequence[Row]
    batch_rows: Sequence[Row]
    components: Sequence[Row]
    workers: Sequence[Row]
    agent: Sequence[Row]
    valid_sites: Sequence[Row]


def load_queries(set_of: Callable[[str], str]) -> Mapping[str, str]:
    """Load the statements by name; `set_of` writes a database's aggregate for SET_OF(column)."""
    folder = files("rcmon.sources.wmagent") / "queries"
    queries = {}
    for name in Reading.__struct_fields__:
        text = (folder / f"{name}.sql").read_text("utf-8")
        lines = [line for line in text.splitlines() if not line.startswith("--")]
        queries[name] = re.sub(r"SET_OF\(([\w.]+)\)", lambda found: set_of(found[1]), "\n".join(lines))
    return queries


async def read(reader: DatabaseReader, queries: Mapping[str, str]) -> Reading:
    """Run all statements, one after the other. Raises SourceError."""
    *ordinary, valid_sites = Reading.__struct_fields__
    rows = {name: await reader.rows(name, queries[name]) for name in ordinary}
    rows[valid_sites] = await _read_valid_sites(reader, queries[valid_sites], rows["unassigned_jobs"])
    return Reading(**rows)


async def _read_valid_sites(reader: DatabaseReader, query: str, unassigned: Sequence[Row]) -> Sequence[Row]:
    """Read where the subscriptions of unassigned jobs may run."""
    named = {number for row in unassigned if (number := whole(row[1])) is not None}
    subscriptions = iter(sorted(named))
    rows: list[Row] = []
    while chunk := list(islice(subscriptions, CHUNK)):
        listed = ", ".join(map(str, chunk))
        rows += await reader.rows("valid_sites", query.replace("SUBSCRIPTIONS", listed))
    return rows
