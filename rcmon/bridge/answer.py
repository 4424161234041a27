"""Reading what rcmon answers: whole, known, plausible, of now - or refused. Pure.

What is passed on is written anew from what was read, in the least form that the agent's own client takes: so
it holds nothing that was not looked at, and no reader can find something else in it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from rcmon.bridge.doubt import DoubtError
from rcmon.errors import UNREADABLE

OLDEST = 86_400.0
"""Seconds after which what was said holds no longer."""
AHEAD = 300.0
"""Seconds that rcmon's clock may be ahead of ours."""
_SHOWN = 5
"""Names in a message."""

_METRIC = re.compile(rb"metadata\.monit_hdfs_path: (\w+)")
_Name = Annotated[str, Meta(pattern=r"^[!-~]{1,255}$")]
MOST_CORES = 10_000_000
"""What rcmon tells of one site at most."""
_Cores = Annotated[int, Meta(ge=0, le=MOST_CORES)]
_Millis = Annotated[int, Meta(gt=0)]

Row = TypeVar("Row", bound="StateRow | SlotRow")


class StateRow(Struct, frozen=True):
    """A site's status. `unknown` is none: it closes the site where the agent has `onlySSB`."""

    name: _Name
    prod_status: Literal["enabled", "drain", "disabled", "test"]


class SlotRow(Struct, frozen=True):
    """A site's cores; an agent drops all of its cycle where one of them is missing."""

    name: _Name
    core_cpu_intensive: _Cores
    core_io_intensive: _Cores


class _Held(Struct, Generic[Row]):
    data: Row


class _AnswerHit(Struct, Generic[Row]):
    source: _Held[Row] = field(name="_source")
    sort: Annotated[list[_Millis], Meta(min_length=1, max_length=1)]


class _Total(Struct):
    value: int


class _AnswerHits(Struct, Generic[Row]):
    hits: Annotated[list[_AnswerHit[Row]], Meta(min_length=1, max_length=10_000)]
    total: _Total | None = None


class _OneAnswer(Struct, Generic[Row]):
    hits: _AnswerHits[Row]


class _Answers(Struct, Generic[Row]):
    responses: Annotated[list[_OneAnswer[Row]], Meta(min_length=1, max_length=1)]


STATES, SLOTS = "sts15min", "scap15min"
_StatesDecoder = msgspec.json.Decoder[_Answers[StateRow]]
_SlotsDecoder = msgspec.json.Decoder[_Answers[SlotRow]]
_SHAPES: Mapping[str, _StatesDecoder | _SlotsDecoder] = {
    STATES: msgspec.json.Decoder(_Answers[StateRow]),
    SLOTS: msgspec.json.Decoder(_Answers[SlotRow]),
}


class Rows(Struct, frozen=True):
    """What one answer says."""

    metric: str
    time: float
    """When the newest of it was confirmed, seconds since the epoch."""
    sites: Mapping[str, StateRow | SlotRow]


def metric_of(question: bytes) -> str | None:
    """Tell which metric an agent's search is for; None: none that rcmon answers."""
    found = _METRIC.search(question)
    metric = found[1].decode() if found else ""
    return metric if metric in _SHAPES else None


def read(metric: str, content: bytes, now: float) -> Rows:
    """Read an answer; `now` in seconds since the epoch. Raises DoubtError."""
    try:
        found = _SHAPES[metric].decode(content).responses[0].hits
    except UNREADABLE as error:
        raise DoubtError("shape", f"rcmon's answer for {metric} is not as it should be: {error}") from error
    sites: dict[str, StateRow | SlotRow] = {}
    if found.total is not None and found.total.value != len(found.hits):
        raise DoubtError("total", f"rcmon's answer holds {len(found.hits)} of {found.total.value} sites")
    for hit in found.hits:
        row = hit.source.data
        if row.name in sites:
            raise DoubtError("twice", f"rcmon's answer for {metric} has {row.name} twice")
        sites[row.name] = row
    times = [hit.sort[0] / 1000 for hit in found.hits]
    _check_times(metric, times, now)
    _check_cores(sites)
    return Rows(metric, max(times), sites)


def write(rows: Rows) -> bytes:
    """Write an answer as the agent's client reads it."""
    sort = [int(rows.time * 1000)]
    hits = [{"_source": {"data": row}, "sort": sort} for row in rows.sites.values()]
    return msgspec.json.encode({"responses": [{"hits": {"hits": hits}}]})


def some(names: set[str]) -> str:
    """Name the first few of many."""
    first = sorted(names)[:_SHOWN]
    return ", ".join(first) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _check_times(metric: str, times: list[float], now: float) -> None:
    if now - max(times) > OLDEST:
        age = (now - max(times)) / 3600
        raise DoubtError("old", f"rcmon's answer for {metric} is {age:.1f} h old; right is less than 24 h")
    if max(times) - now > AHEAD:
        ahead = max(times) - now
        raise DoubtError("ahead", f"rcmon's answer for {metric} is {ahead:.0f} s ahead of this node's clock")


def _check_cores(sites: Mapping[str, StateRow | SlotRow]) -> None:
    rows = [row for row in sites.values() if isinstance(row, SlotRow)]
    if rows and not any(row.core_cpu_intensive for row in rows):
        raise DoubtError("zero", f"rcmon's answer gives none of {len(rows)} sites a core")
