"""What every source and kind of source is, and how one is polled."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import PosixPath
from typing import Annotated, Any, Protocol

from msgspec import Meta, Struct

from rcmon.errors import RcmonError
from rcmon.model import Batch, Meaning

Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}\Z",
        description=(
            "is not a name: that is at most 200 letters, digits, '.', '_', '-', "
            "of which a letter or digit comes first"
        ),
    ),
]
Text = Annotated[str, Meta(min_length=1, description="must be a text that is not empty")]
Seconds = Annotated[float, Meta(gt=0, le=3600, description="must be seconds above 0 and at most 3600")]


class FileOrFolder(PosixPath):
    """A path that may lead to a directory as well as to a file."""


class LateFile(PosixPath):
    """A path of a file that others write while the service runs: it may be missing, or large."""


class SourceConfig(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", omit_defaults=True
):
    """What one `[[source]]` of the sources file says, whatever its kind.

    Each kind adds its own settings and bears its name as tag. What a field may hold stands in its type;
    a description there ends the sentence that begins with the field and its value. A Path is relative to
    the sources file and must be readable; a FileOrFolder may be a directory,
    a LateFile may be missing.
    """

    name: Name
    """The source's name and, where it is one agent's database, the agent's."""
    timeout: Seconds = 30.0
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
        """The name of its kind."""

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


class SourceKind(Struct, frozen=True):
    """Everything that the rest of the house needs of a kind of source; listed in `rcmon.sources`."""

    config: type[SourceConfig]
    """What a `[[source]]` of the kind says; its tag is the kind's name."""
    make: Callable[[Any], Source]
    """Make a source from its configuration; raises ConfigError where that cannot be used."""
    findings: Mapping[str, Meaning] = {}
    """Every kind of finding that its polls can give, in one sentence each, with its severity."""

    @property
    def name(self) -> str:
        """What `kind` says in the sources file."""
        return str(self.config.__struct_config__.tag)


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
    cause: BaseException | None = None
    """What nobody expected it to fail with: for the log, since nobody vouches for its text."""


async def poll_one(source: Source, now: float) -> Poll:
    """Poll a source within its timeout; whatever goes wrong is told in the result, nothing is raised."""
    begun = time.monotonic()
    batch, error, cause = None, None, None
    try:
        async with asyncio.timeout(source.timeout) as limit:
            batch = await source.poll(now)
    except RcmonError as failure:
        error = str(failure)
    except TimeoutError:
        overdue = f"no answer within its timeout of {source.timeout:g} s"
        error = overdue if limit.expired() else "timed out on its own"
    except Exception as failure:  # noqa: BLE001 - a source's own fault must not end the cycle
        cause = failure
        error = f"failed unexpectedly with {type(failure).__name__}; the log says more"
    return Poll(source.name, source.kind, now, time.monotonic() - begun, batch, error, cause)
