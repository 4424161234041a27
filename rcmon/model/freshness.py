"""Whether what was written at some time says something about now, by clocks that are not one."""

AHEAD = 300.0
"""Seconds by which another's clock may be ahead of ours; a time beyond that would stay new for as long."""


def is_of_now(time: float, now: float, limit: float) -> bool:
    """Tell whether what was written at `time` says something about `now`: it is no older than `limit`."""
    return -AHEAD <= now - time <= limit
