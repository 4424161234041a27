"""One step before the service starts, in a short-lived child: it may use a loop and threads."""

import os
import signal
import threading
from collections.abc import Callable

import msgspec

from rcmon import errors
from rcmon.process import signals
from rcmon.process.fork import Pipes, fork_child
from rcmon.process.leave import leave

_PASSED_ON: dict[str, type[errors.RcmonError]] = {
    kind.__name__: kind
    for kind in (
        errors.ConfigError,
        errors.StoreError,
        errors.StoreBusyError,
        errors.StoreCorruptError,
        errors.SourceError,
    )
}
"""Errors that reach the parent as what they are."""

_LONGEST_MESSAGE = 8000
"""Characters: with room to spare in a pipe, which nobody reads before the step has ended."""
_TICK = 1.0


def run_step(name: str, step: Callable[[], None], pipes: Pipes) -> bool:
    """Run `step` in a child and wait until it has ended, however long that takes.

    The parent's signals are blocked around the call. False: TERM or INT came meanwhile and the step was
    killed. Raises what the step raised if it is an RcmonError, and an RcmonError saying how it ended when
    it failed otherwise.
    """
    answer, write_end = os.pipe()
    try:
        pid = fork_child(name, lambda: _attempt(step, pipes, write_end), pipes)
        os.close(write_end)
        code = _wait_for(pid)
        told = os.read(answer, 4 * _LONGEST_MESSAGE)
    finally:
        os.close(answer)
    if told:
        kind, message = msgspec.json.decode(told, type=tuple[str, str])
        raise _PASSED_ON.get(kind, errors.RcmonError)(message)
    if code:
        raise errors.RcmonError(f"{name} failed ({signals.ending(code)}); the log says why")
    return code is not None


def _attempt(step: Callable[[], None], pipes: Pipes, write_end: int) -> int:
    """Do the step in the child, and write down the error it ended with."""

    def watch() -> None:
        os.read(pipes.lifeline_read, 1)
        leave(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals.STOP_SIGNALS)
    try:
        step()
    except errors.RcmonError as error:
        told = (type(error).__name__, str(error)[:_LONGEST_MESSAGE])
        os.write(write_end, msgspec.json.encode(told))
        return 1
    return 0


def _wait_for(pid: int) -> int | None:
    """Wait for the exit code; None: asked to stop, and the step is dead."""
    while True:
        if signals.wait(_TICK) in signals.STOP_SIGNALS:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
