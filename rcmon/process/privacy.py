"""Keeping what a process has in memory - passwords, tokens, the server's key - out of files on the disk."""

import ctypes
import logging
import os
import resource

LOG = logging.getLogger("rcmon.process")

_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4
"""As linux/prctl.h has them (prctl(2))."""


def forbid_dumps() -> None:
    """Let neither this process nor those forked from it leave its memory behind when it is killed.

    The limit on core files is not enough: the kernel ignores it where cores go to a program, as systemd has
    it. So the memory is marked, too, which also keeps other programs of the same user from reading it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    if prctl is None or prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        why = os.strerror(ctypes.get_errno()) if prctl else "this system has no prctl"
        LOG.warning("a core dump of this process may show secrets: %s", why)


def may_be_dumped() -> bool:
    """Tell whether the kernel may write this process's memory to a file."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    return prctl is None or prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) != 0
