"""A bounded text in memory that processes share: one writes, all read, and nobody needs a lock."""

import zlib

_HEAD = 8
"""Bytes before a text: its length and its checksum, little-endian."""
_TRIES = 10
"""A reading is torn only where the writer wrote twice meanwhile; so often in a row nobody does."""


class SharedText:
    """Two copies of a text behind one octet that says which is whole.

    The writer fills the other copy and then turns the octet: one that is killed while it writes leaves the
    text before. A reader that meets a text half overwritten sees that by its checksum, and reads again.
    """

    SIZE = 16 * 1024
    """Bytes of the mapping that one takes."""
    LONGEST = SIZE // 2 - _HEAD - 1
    """Bytes of the longest text."""

    def __init__(self, view: "memoryview[int]") -> None:
        self._view = view
        half = self.SIZE // 2
        self._copies = (view[1:half], view[half:])

    def write(self, octets: bytes) -> None:
        """Put a text of at most LONGEST bytes there; raises ValueError for a longer one."""
        if len(octets) > self.LONGEST:
            raise ValueError(f"{len(octets)} bytes: at most {self.LONGEST} can be shared")
        other = 1 - self._view[0]
        copy = self._copies[other]
        copy[:_HEAD] = len(octets).to_bytes(4, "little") + zlib.crc32(octets).to_bytes(4, "little")
        copy[_HEAD : _HEAD + len(octets)] = octets
        self._view[0] = other

    def read(self) -> bytes:
        """Give the text, empty where none was written yet, or where only torn ones were met."""
        for _ in range(_TRIES):
            whole = bytes(self._copies[self._view[0]])
            length = int.from_bytes(whole[:4], "little")
            octets = whole[_HEAD : _HEAD + length]
            if zlib.crc32(octets) == int.from_bytes(whole[4:_HEAD], "little"):
                return octets
        return b""
