"""How a command ends that does not end well: a sentence, and an exit status by the kind of it."""

from collections.abc import Mapping

from rcmon.errors import RcmonError

DONE, REFUSED, USAGE, UNAVAILABLE, SOFTWARE, IO, PROTOCOL, FORBIDDEN, CONFIG = 0, 1, 2, 69, 70, 74, 76, 77, 78
INTERRUPTED, CLOSED = 130, 141

EXITS: Mapping[int, str] = {
    DONE: "It is done.",
    REFUSED: "The service knows no such thing, or does not do it: the sentence says why; or you said no.",
    USAGE: "The command, or a value in it, is not understood, here or by the service.",
    UNAVAILABLE: "The service cannot be reached, is too slow, or has nothing to show just now.",
    SOFTWARE: "An error of this program's own.",
    IO: "What was found cannot be written, to a full disk for instance.",
    PROTOCOL: "What answers is not rcmon, or one so much older or newer that it is not understood.",
    FORBIDDEN: "No certificate was found, it has expired or is not accepted, or it lacks a role.",
    CONFIG: "An address, a CA or another file that was named cannot be used.",
    INTERRUPTED: "Ctrl-C.",
    CLOSED: "Whoever read the output did not want more of it; nothing is said.",
}
"""Exit statuses: those above 2 as sysexits.h and shells have them. `check` has its own, which are Nagios'."""


class TerminalError(RcmonError):
    """Why a command cannot be done: a sentence for people, and the exit status, one of EXITS."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class OutputClosedError(TerminalError):
    """Nobody reads the output any more."""

    def __init__(self) -> None:
        super().__init__("", CLOSED)
