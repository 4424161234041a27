"""Logging: one set-up for all processes, text or JSON lines, to standard error or to a file.

Several processes append to one file. It is reopened when it was moved away (logrotate), and rotated here
when a size is set; a lock keeps two processes from rotating it at once.
"""

import contextlib
import fcntl
import logging
import logging.handlers
import multiprocessing
import re
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import msgspec

from rcmon.errors import ConfigError

LOG = logging.getLogger(__name__)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def _stamp(record: logging.LogRecord) -> str:
    """Write the time of a record in ISO 8601, UTC."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"


class TextFormatter(logging.Formatter):
    """`time level process logger: message`; control characters cannot forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record; a traceback follows on lines of its own."""
        message = record.getMessage().replace("\n", "\\n")
        line = f"{_stamp(record)} {record.levelname.lower()} {record.processName} {record.name}: {message}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", line)


class JsonFormatter(logging.Formatter):
    """One JSON object a line; `fields` of a record become members of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        entry: dict[str, object] = {
            "time": _stamp(record),
            "level": record.levelname.lower(),
            "process": record.processName,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(entry).decode()


class Surviving(logging.Handler):
    """A handler that cannot write now, as on a full disk, costs the lines and nothing else.

    That it fails is said once on standard error and told to `tell`, as is with `None` that it works again.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.tell: Callable[[str | None], None] = lambda _: None
        self._lost = 0

    def write_lines(self, lines: str) -> None:
        """Write lines that are finished already; raises OSError."""
        raise NotImplementedError

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, or count it as lost."""
        try:
            line = self.format(record) + "\n"
        except Exception:  # noqa: BLE001 - a call with arguments that do not fit, as every handler takes it
            self.handleError(record)
            return
        try:
            self.write_lines(line)
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


class Stream(Surviving, logging.StreamHandler[TextIO]):
    """Standard error."""

    def write_lines(self, lines: str) -> None:
        """Write lines that are finished already."""
        with self.lock or contextlib.nullcontext():
            self.stream.write(lines)
            self.flush()


class RotatingFile(Surviving, logging.handlers.WatchedFileHandler):
    """A log file that several processes append to and any of them may rotate.

    `size` in bytes (0: never rotated here), `keep` how many old files stay as NAME.1 (newest) and on.
    """

    def __init__(self, path: str, size: int, keep: int) -> None:
        super().__init__(path, encoding="utf-8")
        self.size, self.keep = size, keep

    def write_lines(self, lines: str) -> None:
        """Write lines that are finished already, rotating the file first where it is full; raises OSError."""
        with self.lock or contextlib.nullcontext():
            self._renew().write(lines)
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


def set_up(
    level: str, form: str, file: str | None, rotate_size: int = 0, rotate_keep: int = 5
) -> Callable[[str], None]:
    """Send all logging to one handler; raises ConfigError where the file cannot be opened.

    Returns what writes finished lines to the same place: the access log's way.
    """
    handler: Stream | RotatingFile
    if file is None:
        handler = Stream()
    else:
        try:
            handler = RotatingFile(file, rotate_size, rotate_keep)
        except OSError as error:
            raise ConfigError(f"--log-file: {file!r} cannot be opened: {error.strerror}") from None
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(_LEVELS[level])
    # rcmon writes its own access log and names its own TLS failures
    for name in ("tornado.access", "tornado.general", "asyncio"):
        logging.getLogger(name).setLevel(max(_LEVELS[level], logging.WARNING))
    logging.getLogger("tornado.general").addFilter(_is_not_tls)
    logging.captureWarnings(capture=True)
    # roots of old CAs have the serial number 0: nothing that an operator could do about it
    warnings.filterwarnings("ignore", message="Parsed a serial number which wasn't positive")
    return handler.write_lines


def tell_trouble(tell: Callable[[str | None], None]) -> None:
    """Have this process tell why its log cannot be written, and `None` when it can again."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Surviving):
            handler.tell = tell


def name_process(name: str) -> None:
    """Name this process in the log lines that it writes from now on."""
    multiprocessing.current_process().name = name


def _is_not_tls(record: logging.LogRecord) -> bool:
    """Leave TLS failures to the server, which counts them and limits their lines."""
    return not str(record.msg).startswith("SSL Error")
