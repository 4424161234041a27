"""Asking MonIT: the two lines of a search, and the rows of its answer, the newest of each site."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct, ValidationError, field

from rcmon.errors import UNREADABLE, SourceError
from rcmon.sources.http import json_of
from rcmon.sources.plausible import DocumentValues, UnreadableRowError, whole

MEDIA = "application/json"
"""As the agents themselves call the two lines."""
MOST_ROWS = 5000
"""Rows that one search gives; about 150 are written after midnight, and one for each change."""
SINCE = "now-2d"
"""Agents look back one day; twice as long shows what is about to vanish for them, or has."""
_HEAD = {"search_type": "query_then_fetch", "ignore_unavailable": True, "index": ["monit_prod_cmssst_*"]}


class BoardRow(Struct, frozen=True):
    """The newest row of one site."""

    time: float
    """When it was written, seconds since the epoch."""
    data: Mapping[str, Any]


class _Source(Struct):
    data: dict[str, Any]


class _Hit(Struct):
    source: _Source = field(name="_source")
    sort: list[Any] = field(default_factory=list)


class _Hits(Struct):
    hits: list[Raw]


class _Shards(Struct):
    total: int = 0
    failed: int = 0


class _Response(Struct):
    hits: _Hits | None = None
    timed_out: bool = False
    shards: _Shards = field(name="_shards", default_factory=_Shards)
    error: Any = None


class _Searched(Struct):
    responses: list[_Response]


def question(metric: str) -> bytes:
    """Write the search for a metric's rows, newest first."""
    times = {"gte": SINCE, "lte": "now", "format": "epoch_millis"}
    wanted = f"metadata.type: ssbmetric AND metadata.type_prefix:raw AND metadata.monit_hdfs_path: {metric}"
    filters = [
        {"range": {"metadata.timestamp": times}},
        {"query_string": {"analyze_wildcard": True, "query": wanted}},
    ]
    search = {
        "size": MOST_ROWS,
        "query": {"bool": {"filter": filters}},
        "sort": {"metadata.timestamp": {"order": "desc", "unmapped_type": "boolean"}},
    }
    return b"".join(msgspec.json.encode(line) + b"\n" for line in (_HEAD, search))


def hits_of(content: bytes) -> list[Raw]:
    """Take the rows of an answer, unread. Raises SourceError for one that is not whole."""
    responses = json_of(content, _Searched).responses
    if len(responses) != 1:
        raise SourceError(f"the answer holds {len(responses)} results; asked for was one")
    (response,) = responses
    if response.error is not None or response.hits is None:
        reason = response.error.get("type") if isinstance(response.error, dict) else response.error
        raise SourceError(f"the search failed: {str(reason)[:200]}")
    if response.timed_out or response.shards.failed:
        late = "its time was up" if response.timed_out else f"{response.shards.failed} shards failed"
        raise SourceError(f"the answer is not whole: {late}")
    return response.hits.hits


def newest(metric: str, hits: list[Raw], values: DocumentValues) -> dict[str, BoardRow]:
    """Read the newest row of each site. Raises SourceError where there is none at all."""
    rows: dict[str, BoardRow] = {}
    lost, first = 0, ""
    for hit in hits:
        try:
            name, row = _row(hit, values)
        except UnreadableRowError as error:
            lost, first = lost + 1, first or str(error)
            continue
        if name not in rows or rows[name].time < row.time:
            rows[name] = row
    if not rows:
        raise SourceError(f"{metric} holds no site: {f'{lost} rows of which {first}' if lost else 'no row'}")
    values.findings.note(
        "ssb_row_unreadable", f"rows of {metric} that cannot be read, the first because {first}", count=lost
    )
    if len(hits) >= MOST_ROWS:
        values.findings.note("ssb_answer_full", f"{metric}: {len(hits)} rows")
    return rows


def _row(hit: Raw, values: DocumentValues) -> tuple[str, BoardRow]:
    try:
        read = msgspec.json.decode(hit, type=_Hit)
    except ValidationError as error:
        raise UnreadableRowError(f"it is not shaped as a row: {error}") from error
    except UNREADABLE as error:
        raise UnreadableRowError("it is no JSON in UTF-8") from error
    name = values.name("name", read.source.data.get("name"))
    time = whole(read.sort[0]) if read.sort else None
    if time is None or not values.columns["sort"].holds(time / 1000, values.now):
        raise UnreadableRowError(
            f"sort of {name} is {read.sort!r:.60}; right is {values.columns['sort'].right}"
        )
    return name, BoardRow(time / 1000, read.source.data)
