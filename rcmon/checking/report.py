"""What an examination found: what would stop the start, what would not work, and what there is."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rcmon.errors import ConfigError


class Report:
    """Everything that was found, in the order in which it was; nothing twice."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        """What would stop the start."""
        self.warnings: list[str] = []
        """What would not work, or not as may be meant, in a service that starts all the same."""
        self.facts: list[str] = []
        """What the configuration amounts to."""

    def error(self, text: str) -> None:
        """Add what would stop the start."""
        _add(self.errors, text)

    def warn(self, text: str) -> None:
        """Add what would not work."""
        _add(self.warnings, text)

    def tell(self, text: str) -> None:
        """Add what there is."""
        _add(self.facts, text)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Take a ConfigError of the block as what would stop the start."""
        try:
            yield
        except ConfigError as error:
            for message in error.messages:
                self.error(message)

    @contextmanager
    def listening(self, name: str) -> Iterator[None]:
        """Take what is logged under a name during the block, from warnings on, as warnings."""
        logger, handler = logging.getLogger(name), _Listener(self)
        logger.addHandler(handler)
        propagates, logger.propagate = logger.propagate, False
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.propagate = propagates

    @property
    def verdict(self) -> str:
        """Say in a line what all of it comes to."""
        found = f"{_count(self.errors, 'error')}, {_count(self.warnings, 'warning')}"
        if self.errors:
            return f"the service would not start: {found}"
        if self.warnings:
            return f"the service would start, but not all of it would work as may be meant: {found}"
        return "the configuration is right"


class _Listener(logging.Handler):
    def __init__(self, report: Report) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        self._report.warn(record.getMessage())


def _add(found: list[str], text: str) -> None:
    line = " ".join(text.split())
    if line not in found:
        found.append(line)


def _count(found: list[str], word: str) -> str:
    return f"{len(found)} {word}{'' if len(found) == 1 else 's'}"
