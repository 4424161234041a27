"""Days as releases up to revision 0008 packed them."""

import zlib
from operator import sub

from msgspec import msgpack

from rcmon.store.chunks import Points
from rcmon.store.columns import Column


def pack_before(points: Points) -> tuple[bytes, bytes]:
    """Encode points, and apart from them their task types."""
    words = list(dict.fromkeys(points.states))
    states: Column = [words.index(state) for state in points.states]
    body = [words, *map(_squeezed, ([*points.times], states, *points.numbers))]
    known: Column = [int(one) for one in points.known]
    tasks = [_squeezed(known), {task: [*map(_squeezed, own)] for task, own in points.tasks.items()}]
    return zlib.compress(msgpack.encode(body)), zlib.compress(msgpack.encode(tasks))


def _squeezed(column: Column) -> list[object]:
    numbers = [number for number in column if number is not None]
    if len(numbers) != len(column):
        return [0, column] if numbers else [1, None, len(column)]
    low, high = min(numbers, default=0), max(numbers, default=0)
    if low == high and numbers:
        return [1, low, len(column)]
    if high - low >= 2**62:
        return [0, column]
    return [2, [*numbers[:1], *map(sub, numbers[1:], numbers)]]
