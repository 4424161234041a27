"""Looks that fail as nobody expected: told while that lasts, in the log once, and never the end of others."""

import asyncio

import pytest

from rcmon.process.looks import Looks
from rcmon.process.trouble import TROUBLES


class Told:
    """What is told of looks, by a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.trouble: str | None = None
        self.looks = Looks(self._take, lambda: self.now)

    def _take(self, what: str, reason: str | None) -> None:
        assert what in TROUBLES
        self.trouble = reason


@pytest.fixture
def told() -> Told:
    return Told()


async def fail(error: BaseException) -> None:
    raise error


async def test_a_failure_is_told_while_it_lasts_and_logged_once(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await told.looks.take("look at it", lambda: fail(KeyError("a")))
    assert told.trouble == "cannot look at it: KeyError: 'a'"
    assert caplog.text.count("Traceback") == 1
    await told.looks.take("look at it", lambda: asyncio.sleep(0))
    assert told.trouble is None


async def test_looks_are_told_apart(told: Told) -> None:
    await told.looks.take("look at a", lambda: fail(KeyError("a")))
    await told.looks.take("look at b", lambda: fail(ValueError("b")))
    assert told.trouble == "cannot look at a: KeyError: 'a'; cannot look at b: ValueError: b"
    await told.looks.take("look at a", lambda: asyncio.sleep(0))
    assert told.trouble == "cannot look at b: ValueError: b"


async def test_one_that_fails_otherwise_each_time_does_not_fill_the_log(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(100):
        told.now = float(number)
        await told.looks.take("look at it", lambda number=number: fail(ValueError(str(number))))
    assert told.trouble == "cannot look at it: ValueError: 99"
    assert len(caplog.records) == 2


async def test_whoever_is_asked_to_leave_leaves(told: Told) -> None:
    with pytest.raises(asyncio.CancelledError):
        await told.looks.take("look at it", lambda: fail(asyncio.CancelledError()))
