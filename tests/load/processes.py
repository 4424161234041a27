"""What a server's processes take: CPU time and memory, from /proc."""

import time
from pathlib import Path


def tree(root: int) -> list[int]:
    """List a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError, ValueError):
            continue  # it ended meanwhile
        children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def cpu_seconds(root: int) -> float:
    """Sum the time on CPU of a process and its descendants, to the nanosecond."""
    total = 0
    for pid in tree(root):
        for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(stat.read_text().split()[0])
            except (OSError, IndexError, ValueError):
                continue
    return total / 1e9


def pss_bytes(root: int) -> dict[int, int]:
    """Give the proportional set size of a process and its descendants: shared pages count in parts."""
    sizes = {}
    for pid in tree(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        sizes[pid] = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    return sizes


def wait_until_quiet(root: int, seconds: float = 10.0) -> None:
    """Wait until a server that was just started has nothing to do any more."""
    end = time.monotonic() + seconds
    before = cpu_seconds(root)
    while time.monotonic() < end:
        time.sleep(0.5)
        now = cpu_seconds(root)
        if now - before < 0.02:
            return
        before = now
