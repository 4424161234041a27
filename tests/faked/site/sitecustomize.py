"""Lets Python sleep where libfaketime fakes the clock: it refuses every sleep until a moment of a clock."""

import select
import time


def sleep(seconds: float) -> None:
    """Sleep for a while."""
    select.select((), (), (), seconds)


time.sleep = sleep
