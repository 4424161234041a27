"""From a question to what may be answered: the way of one, without HTTP on the agent's side."""

import asyncio
import time
from collections.abc import Callable

from rcmon.bridge.answer import metric_of, read, write
from rcmon.bridge.asking import Rcmon
from rcmon.bridge.chain import Chain
from rcmon.bridge.doubt import DoubtError
from rcmon.bridge.node import Node
from rcmon.files.follower import Follower


class Answering:
    """Answers for one agent, one question after the other: their order is what a cycle is known by."""

    def __init__(
        self, rcmon: Rcmon, node: Follower[Node], timeout: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._rcmon, self._node, self._timeout, self._clock = rcmon, node, timeout, clock
        self._chain = Chain()
        self._turn = asyncio.Lock()

    async def answer(self, question: bytes) -> tuple[bytes, str]:
        """Give what is to be sent, and what to say of it. Raises DoubtError."""
        metric = metric_of(question)
        if metric is None:
            raise DoubtError("question", "the question is for no metric that the bridge knows")
        try:
            async with asyncio.timeout(2 * self._timeout), self._turn:
                return await self._answer(metric, question)
        except TimeoutError as error:
            raise DoubtError("late", "the questions before this one were not answered in time") from error

    async def _answer(self, metric: str, question: bytes) -> tuple[bytes, str]:
        self._node.refresh()
        node = self._node.value
        node.check(self._clock())
        version = self._chain.begin(metric)
        answered = await self._rcmon.ask(question, version, node)
        rows = read(metric, answered.content, self._clock())
        self._chain.take(answered.version, rows)
        return write(rows), f"{len(rows.sites)} sites of version {answered.version} for {metric}"
