"""Values that are made from files, and made again when the files change or were refused."""

import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct

from rcmon.errors import ConfigError, RcmonError
from rcmon.files.reloads import Reloads
from rcmon.files.stamp import Stamp

LOG = logging.getLogger(__name__)
T = TypeVar("T")


class Follower(Generic[T]):
    """A value made by `load(current)` - None the first time - again whenever `stamp()` differs.

    `load` raises ConfigError, and gives `current` or its equal where nothing is new. The first load's error
    is raised. A later one is noted in `reloads`, the value stays, and every look tries again: what a file
    lacked may stand in another one, and what the clock refused it may allow. What `load` raises then that
    nobody expected is a refusal too.
    """

    def __init__(self, what: str, stamp: Callable[[], object], load: Callable[[T | None], T]) -> None:
        self.reloads = Reloads(what)
        self._stamp_of, self._load = stamp, load
        self._stamp = stamp()  # before the load: what changes meanwhile is seen at the next look
        self.value: T = load(None)

    def refresh(self, *, again: bool = False) -> bool | None:
        """Look, and load where there is cause, or where somebody asks (`again`).

        True: a new value was taken up, or the files are good again; False: one was refused; None otherwise.
        """
        stamp = self._stamp_of()
        if stamp == self._stamp and not self.reloads.errors and not again:
            return None
        self._stamp = stamp
        try:
            value = self._load(self.value)
        except ConfigError as error:
            return self.reloads.tell([str(error)], news=False, again=again)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one file ends nothing else
            reason = _unexpected(error, self.reloads.errors)
            return self.reloads.tell([reason], news=False, again=again)
        news, self.value = value != self.value, value
        return self.reloads.tell((), news=news)


class FollowedFile(Struct, Generic[T], frozen=True):
    """A file as it was last read.

    `value` is of the last good reading, None if there was none; `error` says what was wrong with the newest.
    """

    stamp: Stamp
    value: T | None
    error: str | None


class FileSet(Generic[T]):
    """Files of one kind, each parsed once per change, and again while something is wrong with it.

    `parse(path)` raises RcmonError for a file that cannot be used; its last good value then stays.
    """

    def __init__(self, parse: Callable[[Path], T]) -> None:
        self._parse = parse
        self.loaded: Mapping[Path, FollowedFile[T]] = {}

    def refresh(self, stamps: Mapping[Path, Stamp]) -> None:
        """Read what is new, changed or was wrong of these files, and forget all others."""
        self.loaded = {path: self._read(path, stamp) for path, stamp in stamps.items()}

    def values(self) -> dict[Path, T]:
        """Give what is in use of each file; one of which nothing is has no entry."""
        return {path: file.value for path, file in self.loaded.items() if file.value is not None}

    def errors(self) -> dict[Path, str]:
        """Give what is wrong with the newest content of any file."""
        return {path: file.error for path, file in self.loaded.items() if file.error is not None}

    def _read(self, path: Path, stamp: Stamp) -> FollowedFile[T]:
        known = self.loaded.get(path)
        if known is not None and known.stamp == stamp and known.error is None:
            return known
        try:
            return FollowedFile(stamp, self._parse(path), None)
        except RcmonError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - as above
            reason = f"{path}: {_unexpected(error, () if known is None else (known.error or '',))}"
        return FollowedFile(stamp, None if known is None else known.value, reason)


def _unexpected(error: Exception, before: Collection[str]) -> str:
    """Say what nobody expected; the log has its text, for which nobody vouches, when it is new."""
    reason = f"fails unexpectedly with {type(error).__name__}; the log says more"
    if not any(reason in one for one in before):
        LOG.error("%s", reason, exc_info=error)
    return reason
