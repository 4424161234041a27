"""What a harmed store holds in place of a document is told as such, whatever its octets are."""

import zlib
from types import SimpleNamespace

import pytest

from rcmon.errors import StoreCorruptError
from rcmon.store import Store
from rcmon.store.codec import unpack
from rcmon.store.packing import row_of
from rcmon.store.steering import read_memory
from rcmon.store.tables import STEERING

DEEP = b"\x91" * 100_000
NO_UTF8 = b"\xa1\xff"
"""A text that is none."""


@pytest.mark.parametrize("octets", [b"", b"\xc1", DEEP, b"\x81\xa7sources\x91\x81\xa4name" + NO_UTF8])
def test_a_snapshot(octets: bytes) -> None:
    for stored in (octets, zlib.compress(octets)):
        with pytest.raises(StoreCorruptError):
            unpack(stored)


@pytest.mark.parametrize("octets", [b"", b"\xc1", DEEP, b"\x91\x95" + NO_UTF8 + b"\xc0" * 4])
def test_the_task_types_of_a_row(octets: bytes) -> None:
    with pytest.raises(StoreCorruptError):
        row_of(SimpleNamespace(tasks=octets))  # type: ignore[arg-type]  # all that is read before them


@pytest.mark.parametrize("octets", [b"", b"\xc1", DEEP, b"\x81\xa9effective\x81\xa4good\x81" + NO_UTF8])
async def test_what_is_effective(store: Store, octets: bytes) -> None:
    await store.migrate()
    async with store.transaction() as connection:
        await connection.execute(STEERING.insert().values(name="memory", body=octets))
    async with store.reading() as connection:
        with pytest.raises(StoreCorruptError):
            await read_memory(connection)
