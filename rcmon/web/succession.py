"""A new worker begins with nothing older than what its fellows hold."""

from rcmon.access.trust import Trust
from rcmon.errors import ConfigError
from rcmon.process.scoreboard import Scoreboard

_OF_ONE_FILE = frozenset({"roles"})
"""Kinds of which also a dead worker's version counts: of several files it may have seen some changed only."""


def refuse_older(trust: Trust, scoreboard: Scoreboard) -> None:
    """Let nobody in by what was replaced: whoever lost a role, or was revoked since, would be back.

    A new worker holds what its parent held at the fork, and has just read all files. Where one is refused
    now, what others hold of that kind may have come and gone between two of the parent's looks. Raises
    ConfigError; the next worker, a moment later, may know more.
    """
    for what, refused in trust.troubles().items():
        if refused is None:
            continue
        others = [slot.marks for slot in scoreboard.slots if slot.ready or what in _OF_ONE_FILE]
        if any(trust.versions.never_held(what, marks) for marks in others):
            raise ConfigError(
                f"{refused}; no new worker serves until it is good: what the others have in use is not known"
            )
