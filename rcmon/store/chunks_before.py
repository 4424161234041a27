"""Reading days that releases up to revision 0008 packed: columns as lists of numbers, in MessagePack."""

import zlib
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from msgspec import msgpack

from rcmon.store.columns import Column

_CONSTANT, _DIFFERENCES = 1, 2

State = str | None
Tasks = dict[str, list[Column]]


def read_body(body: bytes) -> tuple[Column, list[State], list[Column]]:
    """Read times, states and numbers. Raises zlib.error, DecodeError, or ValueError and its like."""
    words, times, states, *numbers = _BODY.decode(zlib.decompress(body))
    return _widened(times), [words[place or 0] for place in _widened(states)], [*map(_widened, numbers)]


def read_tasks(tasks: bytes) -> tuple[Column, Tasks]:
    """Read at which points task types were kept, and their columns; raises likewise."""
    known, by_task = _TASKS.decode(zlib.decompress(tasks))
    return _widened(known), {task: [*map(_widened, own)] for task, own in by_task.items()}


_BODY = msgpack.Decoder(list)
_TASKS = msgpack.Decoder(tuple[list, dict[str, list]])  # type: ignore[type-arg]


def _widened(squeezed: Sequence[Any]) -> Column:
    way, *rest = squeezed
    column: Column = rest[0]
    if way == _CONSTANT:
        column = [rest[0]] * rest[1]
    elif way == _DIFFERENCES:
        column = list(accumulate(rest[0]))
    return column
