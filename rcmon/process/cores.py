"""How many cores we may use: by the affinity, and by the quota of the container that we run in."""

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

_ROOT = Path("/")


def usable_cores(root: Path = _ROOT) -> int:
    """Count them, at least one; `root` is where /proc and /sys are."""
    return max(1, min([len(os.sched_getaffinity(0)), *map(math.ceil, _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """Give the CPU quota, in cores, of each control group that we are in, from the innermost out.

    cgroups(7): a line of /proc/self/cgroup is `ID:CONTROLLERS:PATH`, without controllers for version 2.
    In a container the path may be the host's: then the mount's top is our group.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _of_groups(root / "sys/fs/cgroup", path, _version_2)
        elif "cpu" in controllers.split(","):
            for mount in {"cpu", controllers}:
                yield from _of_groups(root / "sys/fs/cgroup" / mount, path, _version_1)


def _of_groups(mount: Path, path: str, read: Callable[[Path], float | None]) -> Iterator[float]:
    group = mount / path.lstrip("/")
    for place in (group, *group.parents):
        if place == mount or mount in place.parents:
            try:
                quota = read(place)
            except (OSError, ValueError, ZeroDivisionError):
                continue
            if quota is not None:
                yield quota


def _version_2(group: Path) -> float | None:
    """Read `MAX PERIOD` in microseconds; `max`: no quota."""
    quota, period = (group / "cpu.max").read_text().split()
    return None if quota == "max" else int(quota) / int(period)


def _version_1(group: Path) -> float | None:
    """Read the two files; -1: no quota."""
    quota = int((group / "cpu.cfs_quota_us").read_text())
    return None if quota <= 0 else quota / int((group / "cpu.cfs_period_us").read_text())
