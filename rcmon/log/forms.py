"""The forms of a log line, each of which begins with its time."""

import logging
import re
import time

import msgspec

from rcmon.errors import writable

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def stamp(when: float) -> str:
    """Write a time in ISO 8601, UTC."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(when))}.{int(when % 1 * 1000):03d}Z"


class TextFormatter(logging.Formatter):
    """`time level process logger: message`; control characters cannot forge a line."""

    def begin(self, when: float) -> str:
        """Write the begin of a line: the time, seconds since the epoch."""
        return f"{stamp(when)} "

    def format(self, record: logging.LogRecord) -> str:
        """Write one record; a traceback follows on lines of its own."""
        message = record.getMessage().replace("\n", "\\n")
        who = f"{record.levelname.lower()} {record.processName} {record.name}"
        line = f"{self.begin(record.created)}{who}: {message}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", writable(line))


class JsonFormatter(logging.Formatter):
    """One JSON object a line; `fields` of a record become members of it."""

    def begin(self, when: float) -> str:
        """Write the begin of a line: the time as the first member."""
        return f'{{"time":"{stamp(when)}",'

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        entry: dict[str, object] = {
            "time": stamp(record.created),
            "level": record.levelname.lower(),
            "process": record.processName,
            "logger": record.name,
            "message": writable(record.getMessage()),
        }
        if record.exc_info:
            entry["exception"] = writable(self.formatException(record.exc_info))
        return msgspec.json.encode(entry).decode()
