"""Who is stopped in the midst of a transaction keeps nobody from going on, and writes nothing once awake."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from tornado.ioloop import IOLoop

from rcmon.collector.leadership import SOON, Leadership
from rcmon.errors import StoreError
from rcmon.store import Store
from rcmon.store.notes import add_note
from rcmon.store.tables import NOTE
from rcmon.store.turn import take_turn
from tests.collector.halting import LATE
from tests.integration.replicas import url_of
from tests.servers import Server, postgresql
from tests.store.using import kinds

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


@pytest.fixture
def url(server: Server) -> str:
    return url_of(server)


@pytest.fixture
def store(url: str, io_loop: IOLoop) -> Iterator[Store]:
    made = Store(url)
    io_loop.run_sync(made.migrate)
    yield made
    io_loop.run_sync(made.close)


@contextmanager
def halted(url: str, where: str) -> Iterator["subprocess.Popen[str]"]:
    """Run one that was stopped there; it is woken up by `woken`."""
    command = [sys.executable, "-m", "tests.collector.halting", url, where]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "there\n"
            process.send_signal(signal.SIGSTOP)
            yield process
        finally:
            process.kill()


def woken(process: "subprocess.Popen[str]") -> list[str]:
    """Let it go on; gives what it says of that."""
    process.send_signal(signal.SIGCONT)
    told, _ = process.communicate("\n")
    return told.splitlines()


async def eventually(does: Callable[[], Awaitable[bool]]) -> None:
    """Try until it does; the test's own time is the limit."""
    while True:
        with suppress(StoreError):
            if await does():
                return
        await asyncio.sleep(SOON)


@pytest.mark.parametrize("where", ["between", "durable", "statement", "renewal"])
async def test_another_one_collects_while_the_holder_is_stopped_in_a_transaction(
    store: Store, url: str, where: str
) -> None:
    with halted(url, where) as process:
        other = Leadership(store, "other")
        await eventually(other.seek)
        async with other.writing() as connection:
            await take_turn(connection, NOTE)  # nor is there anything else that it keeps
        outcome, leads = woken(process)
        assert outcome.startswith("failed"), outcome
        assert leads == "does not collect"
        assert await other.renew()
    assert LATE.kind not in await kinds(store)


async def test_who_was_stopped_while_it_wrote_for_a_client_keeps_no_table_from_others(
    store: Store, url: str
) -> None:
    with halted(url, "adding") as process:

        async def write() -> bool:
            async with store.adding() as connection:
                await take_turn(connection, NOTE)
            return True

        await eventually(write)
        assert woken(process)[0].startswith("failed")
    assert LATE.kind not in await kinds(store)


async def test_one_of_a_release_that_asks_for_no_limit_is_ended_too(store: Store, url: str) -> None:
    """It reads the lease to hold it, as releases before terms did, and goes no further."""
    older, other = Store(url), Leadership(store, "other")

    async def write() -> None:
        async with older.transaction() as connection:
            await connection.execute(text("SELECT holder FROM lease FOR UPDATE"))
            assert not await other.seek()
            assert other.next_look <= SOON
            await eventually(other.seek)
            await add_note(connection, LATE)

    with pytest.raises(StoreError):
        await write()
    await older.close()
    assert await other.renew()
    assert LATE.kind not in await kinds(store)
