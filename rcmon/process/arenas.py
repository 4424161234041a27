"""How many pieces the C library's allocator keeps free memory in."""

import ctypes
import os

ARENAS = 2
"""Python allocates under one lock: more arenas than this let no thread wait less."""
_M_ARENA_MAX = -8
"""As glibc's malloc.h has it (mallopt(3))."""


def share_arenas() -> bool:
    """Let the threads of this process and of those forked from it share a few arenas; tells whether they do.

    glibc gives each thread an arena of its own, up to eight for each core, and what is free in one no other
    uses: a collector, whose polls each read in threads of their own, takes twice the memory. An operator's
    own MALLOC_ARENA_MAX stays. Other C libraries have no arenas: there, nothing is done.
    """
    if "MALLOC_ARENA_MAX" in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_ARENA_MAX, ARENAS))
