"""A question that takes too long is given up, whatever it is: others wait for its place."""

import asyncio
import time

import pytest
from sqlalchemy import text
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


async def test_it_says_why(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'rcmon.sqlite'}", longest=0.1)
    await store.migrate()
    with pytest.raises(StoreBusyError, match="it took too long, and was given up"):
        await ask(store, ENDLESS)
    await store.close()
