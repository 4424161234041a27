"""Where log lines go: standard error or a file, by several processes at once."""

import contextlib
import fcntl
import logging
import logging.handlers
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from rcmon.log.forms import JsonFormatter, TextFormatter
from rcmon.log.turns import Turns

LOG = logging.getLogger("rcmon.log")


class Surviving(logging.Handler):
    """A handler that cannot write now, as on a full disk, costs the lines and nothing else.

    A line has the time at which it is written, so that those of all processes stand in its order. That the
    handler fails is said once on standard error and told to `tell`, as is with `None` that it works again.
    """

    form: TextFormatter | JsonFormatter
    turns: Turns

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.tell: Callable[[str | None], None] = lambda _: None
        self._lost = 0

    def write_lines(self, lines: Sequence[str]) -> None:
        """Write lines that are finished but for their begin, which the form makes; raises OSError."""
        with self.lock or contextlib.nullcontext(), self.turns.turn():
            begin = self.form.begin(time.time())
            self._write(begin + begin.join(lines))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, or count it as lost."""
        with self.turns.turn():
            record.created = time.time()
            try:
                line = self.form.format(record) + "\n"
            except Exception:  # noqa: BLE001 - a call with arguments that do not fit, as every handler takes it
                self.handleError(record)
                return
            try:
                self._write(line)
            except (OSError, ValueError) as error:  # ValueError: the stream is closed
                self._lose(error)
                return
        if self._lost:
            lost, self._lost = self._lost, 0
            self.tell(None)
            LOG.warning("the log is written again; up to %d lines were lost", lost)

    def _lose(self, error: OSError | ValueError) -> None:
        reason = f"the log cannot be written: {error}"
        if not self._lost:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"rcmon: {reason}\n")
        self._lost += 1
        self.tell(reason)

    def _write(self, text: str) -> None:
        """Write where it goes; raises OSError."""
        raise NotImplementedError


class Stream(Surviving, logging.StreamHandler[TextIO]):
    """Standard error."""

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.flush()


class RotatingFile(Surviving, logging.handlers.WatchedFileHandler):
    """A log file that several processes append to and any of them may rotate.

    `size` in bytes (0: never rotated here), `keep` how many old files stay as NAME.1 (newest) and on.
    """

    def __init__(self, path: str, size: int, keep: int) -> None:
        super().__init__(path, encoding="utf-8")
        self.size, self.keep = size, keep

    def _write(self, text: str) -> None:
        self._renew().write(text)
        self.flush()

    def _renew(self) -> TextIO:
        """Give the stream to write to: reopened where the file was moved away, rotated where it is full."""
        self.reopenIfNeeded()
        stream = self.stream = self.stream or self._open()
        if self.size and stream.tell() >= self.size:
            self._rotate()
        return self.stream or self._open()

    def _rotate(self) -> None:
        path = Path(self.baseFilename)
        with path.with_name(path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.reopenIfNeeded()  # another process may have rotated it meanwhile
            if path.stat().st_size < self.size:
                return
            names = [path, *(path.with_name(f"{path.name}.{n}") for n in range(1, self.keep + 1))]
            for older, newer in reversed(list(zip(names[1:], names, strict=False))):
                if newer.exists():
                    newer.replace(older)
            self.reopenIfNeeded()
