"""Polling a source once, from a test that is not asynchronous."""

import asyncio
import time
from pathlib import Path

from rcmon.model import Agent
from rcmon.sources.base import Poll, poll_one
from rcmon.sources.wmagent import WMAgentConfig, WMAgentSource

NOW = 1767268800.0
"""The time at which the sample agent's clock stands."""


def poll(url: str, password_file: Path | None = None, timeout: float = 30.0, now: float = NOW) -> Poll:
    """Poll an agent's database, and close the source."""

    async def run() -> Poll:
        source = WMAgentSource(
            WMAgentConfig(name="vocms0999", url=url, password_file=password_file, timeout=timeout)
        )
        try:
            return await poll_one(source, now)
        finally:
            await source.close()

    return asyncio.run(run())


def agent_of(result: Poll) -> Agent:
    """Give the agent that a poll read; the poll must have succeeded."""
    assert result.error is None, result.error
    assert result.batch is not None
    (agent,) = result.batch.agents
    return agent


def wait_for(condition: object, within: float = 300.0) -> None:
    """Wait until a condition, called again and again, holds."""
    assert callable(condition)
    give_up = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.02)
