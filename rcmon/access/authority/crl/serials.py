"""A compact set of serial numbers: 8 octets for each, where a frozenset takes about 150."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable

BUCKETS = 256
"""By the last octet of the serial: small enough buckets that sorting one is never a stall."""
SORTED_AT_ONCE = 8
"""Buckets sorted between pauses."""


class SerialSet:
    """Serial numbers, as the content octets of their DER INTEGER; made once, then only looked up.

    It is made from chunks of serials; `pause()` is called now and then while it is put in order.

    It holds 64-bit hashes (SipHash, keyed per process unless PYTHONHASHSEED says otherwise), so that a
    serial which is not in it is taken for one that is with a chance of its size in 2**64: that errs on the
    side of refusing.
    """

    __slots__ = ("_buckets", "_size")

    def __init__(self, chunks: Iterable[Iterable[bytes]], pause: Callable[[], None]) -> None:
        buckets: list[array[int]] = [array("q") for _ in range(BUCKETS)]
        for chunk in chunks:
            for serial in chunk:
                buckets[serial[-1]].append(hash(serial))
        self._size = sum(map(len, buckets))
        for at, bucket in enumerate(buckets):
            buckets[at] = array("q", sorted(bucket))
            if at % SORTED_AT_ONCE == 0:
                pause()
        self._buckets = tuple(buckets)

    def __contains__(self, serial: bytes) -> bool:
        bucket, value = self._buckets[serial[-1]], hash(serial)
        at = bisect_left(bucket, value)
        return at < len(bucket) and bucket[at] == value

    def __len__(self) -> int:
        """Count the entries; a serial that was listed twice counts twice."""
        return self._size
