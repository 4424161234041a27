"""The statements, and what they give: everything that is read of an agent, as rows."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import islice

from msgspec import Struct

from rcmon.sources.database import DatabaseReader, Row
from rcmon.sources.plausible import whole

CHUNK = 1000
"""Most rows that one statement names; Oracle takes no more."""


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
    workflows: Sequence[Row]


_NAMED = {
    "valid_sites": ("SUBSCRIPTIONS", "unassigned_jobs", 1),
    "workflows": ("WORKFLOWS", "active_jobs", 7),
}
"""Statements about some rows only: their mark, and the statement and its column that tell which."""


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
    rows: dict[str, Sequence[Row]] = {}
    for name in Reading.__struct_fields__:
        if name in _NAMED:
            mark, of, column = _NAMED[name]
            rows[name] = await _read_named(reader, (name, queries[name], mark), _numbers(rows[of], column))
        else:
            rows[name] = await reader.rows(name, queries[name])
    return Reading(**rows)


async def _read_named(
    reader: DatabaseReader, statement: tuple[str, str, str], numbers: Iterable[int]
) -> Sequence[Row]:
    """Run a statement for the rows of these numbers, so many at a time as it may name."""
    name, query, mark = statement
    wanted = iter(sorted(numbers))
    rows: list[Row] = []
    while chunk := list(islice(wanted, CHUNK)):
        rows += await reader.rows(name, query.replace(mark, ", ".join(map(str, chunk))))
    return rows


def _numbers(rows: Sequence[Row], column: int) -> set[int]:
    return {number for row in rows if (number := whole(row[column])) is not None}
