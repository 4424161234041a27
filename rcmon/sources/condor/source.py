"""The source kind `condor`: reads job ads from a file or a command, as `condor_q -json` writes them."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from rcmon.errors import UNREADABLE, ConfigError, SourceError
from rcmon.files.reading import FileError, read_dated
from rcmon.files.stamp import UNSEEN, stamp_of
from rcmon.model import Batch, Upstream
from rcmon.model.freshness import AHEAD
from rcmon.sources.base import LateFile, Name, Seconds, SourceConfig, Text
from rcmon.sources.condor.ads import Ads
from rcmon.sources.condor.findings import FINDINGS
from rcmon.sources.condor.running import output_of
from rcmon.sources.noting import Noting

MOST = 128 * 1024 * 1024
"""Octets of ads: half a million of the few attributes that are needed, or forty thousand whole ones."""

Command = Annotated[tuple[Text, ...], Meta(min_length=1)]


class CondorConfig(SourceConfig, frozen=True, kw_only=True, tag="condor"):
    """A `[[source]]` of kind `condor`: either a file or a command."""

    file: LateFile | None = None
    """The file that holds the ads; whoever writes it puts it in place whole (rename)."""
    max_age: Seconds = 900.0
    """Seconds after which the file says nothing about now."""
    command: Command | None = None
    """The program that writes the ads, and its arguments; no shell reads them."""
    agent: Name | None = None
    """The agent whose ads these are; else each ad says it (`WMAgent_AgentName`)."""


class CondorSource:
    """Job ads of one or more agents. Raises ConfigError for a configuration that cannot be used."""

    kind = "condor"

    def __init__(self, config: CondorConfig) -> None:
        if (config.file is None) == (config.command is None):
            raise ConfigError("right is either file or command, and one of them")
        self.name = config.name
        self.timeout = config.timeout
        self._config = config
        self._stamp = UNSEEN
        self._written = 0.0
        self._said = Upstream()

    def __repr__(self) -> str:
        return f"<CondorSource {self.name}>"

    async def poll(self, now: float) -> Batch:
        """Read the ads; `now`: seconds since the epoch. Raises SourceError."""
        begun = time.monotonic()
        if self._config.command is not None:
            # it writes nothing at all where there is no job
            content = await output_of(self._config.command, MOST) or b"[]"
            upstream = await asyncio.to_thread(self._conclude, content)
        else:
            upstream = await asyncio.to_thread(self._look, Path(str(self._config.file)), now)
        return Batch(self.name, self.kind, now, time.monotonic() - begun, upstream=upstream)

    async def close(self) -> None:
        """Do nothing: a command ends with the poll that runs it."""

    def _look(self, path: Path, now: float) -> Upstream:
        """Read the file, unless it is the one that was read last: ads may be many. Raises SourceError."""
        stamp = stamp_of(path)
        if stamp != self._stamp:
            self._stamp = UNSEEN
            content, self._written = _read(path)
            self._said = self._conclude(content)
            self._stamp = stamp
        _must_be_young(path, now - self._written, self._config.max_age)
        return self._said

    def _conclude(self, content: bytes) -> Upstream:
        findings = Noting(FINDINGS)
        ads = Ads(findings, self._config.agent)
        for raw in _listed(content):
            ads.take(raw)
        return Upstream(pressure=ads.counted(), findings=findings.all())


def _read(path: Path) -> tuple[bytes, float]:
    try:
        return read_dated(path, MOST)
    except FileError as error:
        raise SourceError(f"file {error}") from error


def _must_be_young(path: Path, age: float, max_age: float) -> None:
    if age < -AHEAD:
        raise SourceError(f"file {path}: its time is {-age:.0f} s ahead; right is at most {AHEAD:g} s")
    if age > max_age:
        raise SourceError(f"file {path}: was written {age:.0f} s ago; right is at most {max_age:g} s")


def _listed(content: bytes) -> list[Raw]:
    """Part a list of ads, unread. Raises SourceError for anything else."""
    try:
        return msgspec.json.decode(content, type=list[Raw])
    except UNREADABLE as error:
        raise SourceError(f"the job ads are no list in JSON, as condor_q -json writes: {error}") from error
