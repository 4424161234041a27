"""A clock that a test sets while programs run, as somebody sets a machine's.

libfaketime, which does the same and much more, refuses sleeps and takes three quarters of the CPU of a
program with threads: it takes a semaphore whenever one of them waits for another.
"""

import functools
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).parent / "clock.c"
LIBRARY = "clock.so"


@functools.cache
def _compiled() -> "tempfile.TemporaryDirectory[str]":
    """Compile it, once in a run. Raises FileNotFoundError where there is no compiler."""
    folder = tempfile.TemporaryDirectory(prefix="rcmon-clock-")
    made = Path(folder.name) / LIBRARY
    command = ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", made, SOURCE, "-ldl"]
    subprocess.run(command, check=True)
    return folder


def faked(clock: Path) -> dict[str, str]:
    """Give the environment in which programs take the time from a file: `+0`, `-3600`, `+400d`.

    What is written there holds within 20 ms. Raises FileNotFoundError where there is no compiler.
    """
    return {"LD_PRELOAD": str(Path(_compiled().name) / LIBRARY), "TEST_CLOCK_FILE": str(clock)}
