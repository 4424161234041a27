"""Nothing of a process's memory is left on the disk."""

import resource

from rcmon.process.privacy import forbid_dumps, may_be_dumped
from tests.process.running import exit_code_of


def private() -> int:
    before = may_be_dumped()
    forbid_dumps()
    return 0 if before and not may_be_dumped() and resource.getrlimit(resource.RLIMIT_CORE) == (0, 0) else 1


def test_a_process_leaves_no_core_behind() -> None:
    assert exit_code_of(private) == 0
    assert may_be_dumped()


def test_those_forked_from_it_leave_none_either() -> None:
    def parent() -> int:
        forbid_dumps()
        return exit_code_of(may_be_dumped)

    assert exit_code_of(parent) == 0
