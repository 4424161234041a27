"""A clock that a test sets while programs run: libfaketime's, Debian's package `faketime`."""

import os
from pathlib import Path

LIBRARY = "*/faketime/libfaketime.so.1"


def faked(clock: Path) -> dict[str, str]:
    """Give the environment in which programs take the time from a file: `+0`, `-3600`, `+400d`.

    The file is read once a second: read at each look at a clock, it takes two thirds of all CPU. Raises
    FileNotFoundError where the library is not installed.
    """
    found = sorted(Path("/usr/lib").glob(LIBRARY))
    if not found:
        raise FileNotFoundError(f"/usr/lib/{LIBRARY}")
    path = [str(Path(__file__).parent / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": os.pathsep.join(path),
    }
