"""Looking at a file without reading it: whether it may hold something else than before."""

import errno
import time
from pathlib import Path

Stamp = tuple[int, ...]
"""Differs when a file changed, was replaced, vanished, or got other permissions; compared, never read."""

UNSEEN: Stamp = ()
"""Of what was never looked at: like no other."""
NOWHERE: Stamp = (errno.ENOENT,)
"""Of what is not there, or a link to nothing."""
_SETTLED = 2_000_000_000
"""Nanoseconds after which a file's time of change tells: two writes within one tick look alike."""


def stamp_of(path: Path) -> Stamp:
    """Look at a file, through links. Never raises: what cannot be looked at has its error for a stamp.

    A file that was written this very moment never looks like itself, so that it is read again. Its mtime
    proves nothing alone, being whatever `touch`, `rsync --times` or a clock that jumped made it.
    """
    try:
        stat = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    now = time.time_ns()
    unsettled = now if abs(now - stat.st_ctime_ns) < _SETTLED else 0
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino, stat.st_dev, unsettled
