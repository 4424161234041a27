"""What every test shares: asynchronous tests run on a Tornado loop of their own.

`RCMON_TEST_EXAMPLES=20000` tries so many examples of each property.
"""

import asyncio
import gc
import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop

from tests.anything import EXAMPLES

# a busy machine is slow, not wrong
settings.register_profile(
    "any machine", max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# a shell that runs this in the background ignores SIGINT, and so would all that is started here
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# the service is started some hundred times: it shall be compiled once
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

LONGEST = 600
"""Seconds after which a test hangs; whatever runs beside it, none is that slow."""


ALONE = "RCMON_TEST_ALONE"
"""Set in the environment of a test that has a process of its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pytest-tornado run every `async def` test."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.gen_test(timeout=LONGEST))
            if "io_loop" not in item.fixturenames:
                item.fixturenames.insert(0, "io_loop")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Give a test that judges its own process one of its own: services of other tests run beside it."""
    if pyfuncitem.get_closest_marker("alone") is None or ALONE in os.environ:
        return None
    asked = [sys.executable, "-m", "pytest", "-q", "-n", "0", pyfuncitem.nodeid]
    root = pyfuncitem.config.rootpath
    env = os.environ | {ALONE: "1"}
    done = subprocess.run(asked, cwd=root, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)
    return True


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
