"""A poll that is cancelled, closed or outlived by nothing, at any moment: no word, thread or task is left."""

import asyncio
import gc
import logging
import threading
from collections.abc import Iterator

import pytest

from rcmon.sources.base import poll_one
from rcmon.sources.wmagent import WMAgentConfig, WMAgentSource
from tests.sources.small import SmallAgent

STEPS = range(0, 60, 2)
"""How many turns of the loop a poll had."""


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What threads, the loop, objects that go, and loggers say."""
    found: list[str] = []
    monkeypatch.setattr("threading.excepthook", lambda args: found.append(f"thread: {args.exc_value}"))
    monkeypatch.setattr("sys.unraisablehook", lambda args: found.append(f"unraisable: {args.exc_value}"))
    with caplog.at_level(logging.WARNING):
        yield found
        gc.collect()
        found += [record.getMessage() for record in caplog.records]
    assert found == []


async def _end(steps: int, url: str, how: str, complaints: list[str]) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(f"loop: {context['message']}"))
    source = WMAgentSource(WMAgentConfig(name="vocms0999", url=url))
    task = asyncio.create_task(poll_one(source, 0.0))
    for _ in range(steps):
        await asyncio.sleep(0)
    if how == "closed":
        await source.close()
    if how != "left":
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()


@pytest.mark.alone
@pytest.mark.parametrize("how", ["cancelled", "closed", "left"])
def test_it_ends_quietly(small: SmallAgent, how: str, complaints: list[str]) -> None:
    """Left to itself, it is cancelled with all that it started when the loop ends."""
    before = threading.active_count()
    for steps in STEPS:
        asyncio.run(_end(steps, small.url, how, complaints))
    assert threading.active_count() == before
