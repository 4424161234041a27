"""A command, run within bounds: what it writes, or why that cannot be used."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from msgspec import Struct

from rcmon.errors import SourceError

_CHUNK = 256 * 1024
_COMPLAINT = 300
"""Octets of what a command complains of that are told."""
_LAST_WORDS = 2.0
"""Seconds that a child which outlives the command may hold the complaint open."""


class _Pipe(Struct, eq=False):
    reader: asyncio.StreamReader
    writing: int
    """Descriptor of the end that the command has."""


async def output_of(argv: Sequence[str], most: int) -> bytes:
    """Run a command, without a shell and with no input, and give what it writes, at most so many octets.

    It has a process group of its own, which is killed whole where it is not waited for any more. Raises
    SourceError where it cannot be started, fails, or writes too much.
    """
    async with _pipe() as out, _pipe() as err:
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out.writing,
                stderr=err.writing,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise SourceError(f"command {argv[0]!r} cannot be started: {why}") from error
        try:
            for pipe in (out, err):
                os.close(pipe.writing)
                pipe.writing = -1
            complaint = bytearray()
            listening = asyncio.ensure_future(_listen(err.reader, complaint))
            try:
                content = await _whole(out.reader, most, argv[0])
                status = await process.wait()
                await asyncio.wait({listening}, timeout=_LAST_WORDS)
            finally:
                listening.cancel()
                await asyncio.wait({listening})
        finally:
            await _end(process)
    if status != 0:
        told = " ".join(complaint.decode(errors="replace").split()) or "it does not say why"
        raise SourceError(f"command {argv[0]!r} failed with status {status}: {told}")
    return content


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of a command's group; one that has ended may have left children."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is None:
        await process.wait()


async def _whole(reader: asyncio.StreamReader, most: int, name: str) -> bytes:
    content = bytearray()
    while chunk := await reader.read(_CHUNK):
        content += chunk
        if len(content) > most:
            raise SourceError(f"command {name!r} writes more than {most} octets")
    return bytes(content)


async def _listen(reader: asyncio.StreamReader, complaint: bytearray) -> None:
    """Read all that a command complains of, so that it never waits, and keep the begin."""
    while chunk := await reader.read(_CHUNK):
        complaint += chunk[: _COMPLAINT - len(complaint)]


@asynccontextmanager
async def _pipe() -> AsyncIterator[_Pipe]:
    """Open a pipe whose end for reading is ours alone, so that nobody else can keep us waiting."""
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    pipe = _Pipe(asyncio.StreamReader(), writing)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(pipe.reader), os.fdopen(reading, "rb", 0)
    )
    try:
        yield pipe
    finally:
        transport.close()
        if pipe.writing >= 0:
            os.close(pipe.writing)
