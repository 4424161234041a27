"""Ways out of a process that hold however it hangs, and a word on where it does."""

import faulthandler
import logging
import os
import sys
from pathlib import Path
from typing import NoReturn, TextIO

from rcmon.process.signals import STACK_SIGNAL


def leave(code: int) -> NoReturn:
    """End this process now, with its log written out.

    No thread, no open database and no exit handler inherited from the parent can hold it back.
    """
    try:
        flush_output()
        logging.shutdown()
    finally:
        os._exit(code)


def leave_after(seconds: float) -> None:
    """Have the process end by itself (exit code 1) if it is still there after `seconds`.

    It then says on standard error where each thread stands. The watch is a thread of the interpreter
    that needs no lock of it: it works in an endless loop and in a call that never returns.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=_error_output())


def print_stacks_on_signal() -> None:
    """At STACK_SIGNAL say on standard error where each thread stands, and go on; a hanging loop does too."""
    faulthandler.register(STACK_SIGNAL, file=_error_output(), all_threads=True)


def flush_output() -> None:
    """Write out what print() still holds; a reader that went away is no error."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                continue


def _error_output() -> TextIO | int:
    """Give standard error, or nowhere: where it is closed, its number may be anybody's file."""
    return sys.__stderr__ or os.open(Path(os.devnull), os.O_WRONLY)
