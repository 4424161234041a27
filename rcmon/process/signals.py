"""The signals that the parent takes one by one, and that a child takes in its loop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})
CHILD_SIGNALS = STOP_SIGNALS | {signal.SIGHUP}
"""Blocked in a child from the fork until its loop takes them, so that none is lost in between."""
PARENT_SIGNALS = CHILD_SIGNALS | {signal.SIGCHLD}
STACK_SIGNAL = signal.SIGUSR1
"""Makes a child print where each of its threads stands."""


@contextmanager
def blocked() -> Iterator[None]:
    """Block the parent's signals, which `wait` then takes; the mask and SIGCHLD are as before afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, PARENT_SIGNALS)
    # Inherited as ignored, it would let the kernel reap: nobody would learn how a child ended.
    chld = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, chld)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait(seconds: float) -> int | None:
    """Take the next of the parent's signals; None when none came within `seconds`."""
    info = signal.sigtimedwait(PARENT_SIGNALS, max(0.0, seconds))
    return None if info is None else info.si_signo


def reset() -> None:
    """Drop the parent's handlers in a fresh child; CHILD_SIGNALS stay blocked."""
    for number in PARENT_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def ending(code: int) -> str:
    """Say in short how a process ended, from `os.waitstatus_to_exitcode`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
