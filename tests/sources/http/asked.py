"""Polling a kind once, of a web service that answers as a test says."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from rcmon.model import Upstream
from rcmon.sources.base import Poll, Source, poll_one
from tests.sources.http.webservice import answer, serving

NOW = 1_795_000_000.0


async def asked(make: Callable[[str], Source], answers: Mapping[bytes, Any], now: float = NOW) -> Poll:
    """Poll; of the answers, which are written as JSON, that one is given whose key stands in the request."""

    async def say(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        (found,) = [said for key, said in answers.items() if key in head + body]
        writer.write(answer(json.dumps(found).encode()))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with serving(say) as web:
        source = make(web.url)
        try:
            return await poll_one(source, now)
        finally:
            await source.close()


def said_by(poll: Poll) -> Upstream:
    """Give what a poll brought; it must have succeeded."""
    assert poll.error is None, poll.error
    assert poll.batch is not None
    assert poll.batch.upstream is not None
    assert poll.batch.agents == ()
    return poll.batch.upstream
