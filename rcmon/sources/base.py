"""What every source is, and how one is polled."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from msgspec import Struct

from rcmon.errors import RcmonError
from rcmon.model import Batch

LOG = logging.getLogger(__name__)

DEFAULT_TIMEOUT = 30.0
"""Seconds that one poll may take where the sources file does not say."""


class SourceConfig(Struct, frozen=True):
    """One `[[source]]` of the sources file."""

    name: str
    """The source's name and, where it is one agent's database, the agent's."""
    kind: str
    """A key of `rcmon.sources.KINDS`."""
    url: str
    """Where it is; it never holds a password."""
    password_file: Path | None = None
    """The file whose content, less the newline at its end, is the password; read at each connect."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds that one poll may take."""


class Source(Protocol):
    """Something that is polled once per cycle.

    Making one touches nothing outside: no connection is there before `poll()`, none after `close()`.
    """

    @property
    def name(self) -> str:
        """Its name, unique among the sources."""

    @property
    def kind(self) -> str:
        """A key of `rcmon.sources.KINDS`."""

    @property
    def timeout(self) -> float:
        """Seconds that one poll may take."""

    async def poll(self, now: float) -> Batch:
        """Read everything once; `now` is the time of the poll, seconds since the epoch.

        Raises SourceError, free of secrets, where that fails. One that is cancelled ends at once and
        leaves nothing running.
        """

    async def close(self) -> None:
        """Give up whatever is open, a running poll's connection included."""


Factory: TypeAlias = Callable[[SourceConfig], Source]
"""Make a source; raises ConfigError where its configuration cannot be used."""


class Poll(Struct, frozen=True):
    """What became of polling a source once: exactly one of `batch` and `error` is there."""

    source: str
    kind: str
    started: float
    """Seconds since the epoch."""
    duration: float
    """Seconds it took, failed or not."""
    batch: Batch | None = None
    error: str | None = None
    """Why it failed, in one line free of secrets."""


async def poll_one(source: Source, now: float) -> Poll:
    """Poll a source within its timeout; whatever goes wrong is told in the result, nothing is raised."""
    begun = time.monotonic()
    batch, error = None, None
    try:
        async with asyncio.timeout(source.timeout) as limit:
            batch = await source.poll(now)
    except RcmonError as failure:
        error = str(failure)
    except TimeoutError:
        overdue = f"no answer within its timeout of {source.timeout:g} s"
        error = overdue if limit.expired() else "timed out on its own"
    except Exception as failure:
        # a source's own fault must not end the cycle; its text is only logged, since nobody vouches for it
        LOG.exception("source %s: poll failed unexpectedly", source.name)
        error = f"failed unexpectedly with {type(failure).__name__}; the log says more"
    return Poll(source.name, source.kind, now, time.monotonic() - begun, batch, error)
