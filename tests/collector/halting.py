"""Write as the collector and halt in the midst of it; started as a process by test_halted.py.

Arguments: the database's URL, and where it halts. It prints `there` and waits for a line; then it goes on as
if nothing had been, and prints what became of it, and whether it still collects.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.collector.leadership import Leadership
from rcmon.errors import StoreError
from rcmon.store import Store
from rcmon.store.lease import renew_lease
from rcmon.store.notes import Note, add_note
from rcmon.store.tables import NOTE
from rcmon.store.turn import take_turn

ROWS = 20_000
"""So many go to the server before it halts: the driver has sent some of them by then, and not all."""
LATE = Note(0.0, "late", "written by one that had halted")


def halt() -> None:
    print("there", flush=True)
    sys.stdin.readline()


def notes() -> Iterator[tuple[float, str, str]]:
    for _ in range(ROWS):
        yield 0.0, LATE.kind, "x" * 100
    halt()
    yield 0.0, LATE.kind, LATE.text


async def between_statements(connection: AsyncConnection) -> None:
    await add_note(connection, LATE)
    halt()
    await add_note(connection, LATE)


async def in_a_statement(connection: AsyncConnection) -> None:
    """Halt where the server waits for more rows of one statement."""
    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None
    await raw.driver_connection.executemany(
        "INSERT INTO note (time, kind, text) VALUES ($1, $2, $3)", notes()
    )


async def write(store: Store, leadership: Leadership, where: str) -> None:
    if where == "renewal":
        async with store.leasing() as connection:
            assert leadership.term is not None
            assert await renew_lease(connection, leadership.term, 3.0)
            halt()
        return
    begin: AbstractAsyncContextManager[AsyncConnection]
    begin = store.adding() if where == "adding" else leadership.writing(durable=where == "durable")
    async with begin as connection:
        if where == "adding":
            await take_turn(connection, NOTE)
        await (in_a_statement if where == "statement" else between_statements)(connection)


async def main(url: str, where: str) -> None:
    store = Store(url)
    leadership = Leadership(store, "halting")
    assert where == "adding" or await leadership.seek()
    began = time.monotonic()
    try:
        await write(store, leadership, where)
    except StoreError as error:
        print(f"failed after {time.monotonic() - began:.0f} s: {error}")
    else:
        print("wrote")
    print("collects" if where != "adding" and await leadership.renew() else "does not collect")
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
