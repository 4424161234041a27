"""Logging: one set-up for all processes, text or JSON lines, to standard error or to a file.

Several processes append to one file. It is reopened when it was moved away (logrotate), and rotated here
when a size is set; a lock keeps two processes from rotating it at once.
"""

import contextlib
import logging
import multiprocessing
import warnings
from collections.abc import Callable, Iterator, Sequence

from rcmon.errors import ConfigError
from rcmon.log.forms import JsonFormatter, TextFormatter
from rcmon.log.handlers import RotatingFile, Stream, Surviving
from rcmon.log.turns import Turns

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up(
    level: str, form: str, file: str | None, rotate_size: int = 0, rotate_keep: int = 5
) -> Callable[[Sequence[str]], None]:
    """Send all logging to one handler; raises ConfigError where the file cannot be opened.

    Before the fork: so all processes share its turns. Returns what writes lines to the same place that are
    finished but for their begin with the time: the access log's way.
    """
    handler: Stream | RotatingFile
    if file is None:
        handler = Stream()
    else:
        try:
            handler = RotatingFile(file, rotate_size, rotate_keep)
        except OSError as error:
            raise ConfigError(f"--log-file: {file!r} cannot be opened: {error.strerror}") from None
    handler.form, handler.turns = JsonFormatter() if form == "json" else TextFormatter(), Turns()
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


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Log nothing while the block runs, where no other thread may want to: others tell what happens there."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def name_process(name: str) -> None:
    """Name this process in the log lines that it writes from now on."""
    multiprocessing.current_process().name = name


def _is_not_tls(record: logging.LogRecord) -> bool:
    """Leave TLS failures to the server, which counts them and limits their lines."""
    return not str(record.msg).startswith("SSL Error")
