"""Polling one source: within its time, and nothing but the result comes back."""

import asyncio

import pytest

from rcmon.errors import SourceError
from rcmon.model import Batch
from rcmon.sources.base import poll_one


class Double:
    """A source that does what it is told to."""

    name, kind, timeout = "double", "double", 0.05

    def __init__(self, outcome: Batch | BaseException | None) -> None:
        self.outcome = outcome
        self.ended = False

    async def poll(self, now: float) -> Batch:
        try:
            if self.outcome is None:
                await asyncio.sleep(3600)
            if isinstance(self.outcome, BaseException):
                raise self.outcome
            assert self.outcome is not None
            return self.outcome
        finally:
            self.ended = True

    async def close(self) -> None:
        pass


async def test_a_batch_comes_back() -> None:
    batch = Batch("double", "double", 7.0, 0.0)
    result = await poll_one(Double(batch), 7.0)
    assert (result.source, result.kind, result.started) == ("double", "double", 7.0)
    assert (result.batch, result.error) == (batch, None)
    assert result.duration >= 0


async def test_a_source_error_is_told() -> None:
    result = await poll_one(Double(SourceError("the database is closed on Mondays")), 7.0)
    assert (result.batch, result.error) == (None, "the database is closed on Mondays")


async def test_a_source_that_hangs_is_given_up() -> None:
    source = Double(None)
    result = await poll_one(source, 7.0)
    assert (result.batch, result.error) == (None, "no answer within its timeout of 0.05 s")
    assert source.ended


async def test_a_timeout_of_its_own_is_not_mistaken() -> None:
    assert (await poll_one(Double(TimeoutError()), 7.0)).error == "timed out on its own"


async def test_an_unexpected_error_is_handed_on_for_the_log_and_its_text_is_not_told() -> None:
    hush = ValueError("hush")
    result = await poll_one(Double(hush), 7.0)
    assert result.error == "failed unexpectedly with ValueError; the log says more"
    assert result.cause is hush


async def test_being_cancelled_is_passed_on() -> None:
    source = Double(None)
    source.timeout = 60
    task = asyncio.create_task(poll_one(source, 7.0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.ended
