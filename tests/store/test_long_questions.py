"""A question that takes too long is given up, whatever it is: others wait for its place."""

import asyncio
import time
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from rcmon.errors import StoreBusyError
from rcmon.store import Store
from rcmon.store.store import ASKERS

ENDLESS = (
    "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number) SELECT max(n) FROM number"
)


async def ask(store: Store, question: str) -> int:
    async with store.asking() as connection:
        return int((await connection.execute(text(question))).scalar_one())


async def test_a_question_without_end_is_given_up_and_leaves_its_place(url: str | URL) -> None:
    """On both databases; all places are taken by such, and then are free."""
    store = Store(url, longest=1.0)
    await store.migrate()
    try:
        for _ in range(2):
            begun = time.monotonic()
            asked = await asyncio.gather(
                *(ask(store, ENDLESS) for _ in range(ASKERS)), return_exceptions=True
            )
            assert [type(each) for each in asked] == [StoreBusyError] * ASKERS
            assert time.monotonic() - begun >= 1.0
        assert await ask(store, "SELECT 17") == 17
        async with store.transaction() as connection:  # and nobody else is held to that time
            await connection.execute(text("SELECT 1"))
    finally:
        await store.close()


async def test_so_is_one_that_is_asked_as_a_whole(url: str | URL) -> None:
    """On SQLite its thread is free again, too."""
    store = Store(url, longest=1.0)
    await store.migrate()

    def question(text_: str) -> Callable[[Connection], int]:
        return lambda connection: int(connection.execute(text(text_)).scalar_one())

    try:
        endless = (store.ask(question(ENDLESS)) for _ in range(ASKERS))
        asked = await asyncio.gather(*endless, return_exceptions=True)
        assert [type(each) for each in asked] == [StoreBusyError] * ASKERS
        again = (store.ask(question("SELECT 17")) for _ in range(2 * ASKERS))
        assert await asyncio.gather(*again) == [17] * (2 * ASKERS)
    finally:
        await store.close()


async def test_what_a_question_raises_comes_back(store: Store) -> None:
    def question(_: Connection) -> None:
        raise KeyError("mine")

    for ask in (store.ask, store.look):
        with pytest.raises(KeyError, match="mine"):
            await ask(question)
        assert await ask(lambda connection: connection.execute(text("SELECT 17")).scalar_one()) == 17


async def test_it_says_why(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'rcmon.sqlite'}", longest=0.1)
    await store.migrate()
    with pytest.raises(StoreBusyError, match="it took too long, and was given up"):
        await ask(store, ENDLESS)
    await store.close()
