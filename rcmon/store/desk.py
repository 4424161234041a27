"""A desk: SQLite asked by threads of one's own, which take a whole question and give back its answer.

By the asynchronous driver every statement is four hand-overs between its thread and the loop's; where another
thread computes, or the machine is busy, each of them waits. A question handed over as a whole waits once.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from rcmon.store.address import Address
from rcmon.store.engine import make_desk_engine

T = TypeVar("T")


class Desk:
    """So many threads with a connection each, opened by use; that of one alone stays open from use to use.

    `longest`: seconds that a question has, unless its connection stays open.
    """

    def __init__(self, address: Address, *, places: int, longest: float | None) -> None:
        self._engine = make_desk_engine(address, keeps=places == 1, longest=longest)
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="store")

    async def answer(self, question: Callable[[Connection], T]) -> T:
        """Answer a question in one transaction, which is rolled back."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)

    async def close(self) -> None:
        """End the connections and threads, after the questions that are under way."""
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    def _answer(self, question: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return question(connection)
