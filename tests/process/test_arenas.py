"""Threads share a few of the allocator's arenas, so that what one has freed another uses."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import ctypes, os, sys, threading
from rcmon.process.arenas import share_arenas
told = share_arenas() if sys.argv[1] == "shared" else None
pid = os.fork()
if pid:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
begun = threading.Barrier(12)
found = set()
def allocate():
    begun.wait()
    found.add((malloc(100_000) or 0) >> 26)  # an arena beside the first lies in its own 64 MiB
    begun.wait()
threads = [threading.Thread(target=allocate) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(told, len(found))
"""


def ran(how: str, **environment: str) -> tuple[str, int]:
    """Let twelve threads of a forked child allocate; gives what was told and from how many places."""
    kept = {key: value for key, value in os.environ.items() if key != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(
        command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=True, timeout=300
    )
    told, places = done.stdout.split()
    return told, int(places)


def test_threads_of_a_forked_child_share_few() -> None:
    told, places = ran("shared")
    assert told == "True"
    assert places <= 3  # the heap of the first may lie across a border


def test_without_it_threads_have_their_own() -> None:
    """That the test can fail."""
    assert ran("alone")[1] > 3


def test_what_the_operator_says_stays() -> None:
    assert ran("shared", MALLOC_ARENA_MAX="16")[0] == "False"
