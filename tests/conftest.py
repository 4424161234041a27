"""What every test shares: asynchronous tests run on a Tornado loop of their own."""

import asyncio
import gc
import inspect
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop

# a busy machine is slow, not wrong
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# the service is started some hundred times: it shall be compiled once
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

LONGEST = 600
"""Seconds after which a test hangs; whatever runs beside it, none is that slow."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pytest-tornado run every `async def` test."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.gen_test(timeout=LONGEST))
            if "io_loop" not in item.fixturenames:
                item.fixturenames.insert(0, "io_loop")


def pytest_collection_finish() -> None:
    """Let no collection of garbage look at what stays until the end anyhow: tests and their modules."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    """Replace pytest-tornado's fixture, which makes its loop current in a deprecated way."""
    loop = AsyncIOLoop(make_current=False)
    asyncio.set_event_loop(loop.asyncio_loop)
    yield loop
    loop.run_sync(loop.asyncio_loop.shutdown_asyncgens)
    loop.run_sync(loop.asyncio_loop.shutdown_default_executor)
    loop.close(all_fds=False)
    asyncio.set_event_loop(None)
