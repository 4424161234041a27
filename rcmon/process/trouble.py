"""What a process says is wrong with it, and how one ended: told over the scoreboard, read by everybody."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from rcmon.errors import writable

EXCEPTION = "exception"
"""What a process says last when it ends by an error that nobody expected."""
LOOK = "look"
"""What a process says of what it does again and again beside its work."""
TROUBLES: Mapping[str, str] = {
    "store": "the store cannot be read or written",
    "store_set_aside": "within the last hour the store was found damaged, set aside and made afresh",
    "sources_file": "the sources file, or a file that it names, is refused: the sources before it stay",
    "roles_file": "the roles file is refused: the roles before it stay",
    "control_file": "the control file is refused: what it said before stays",
    "control": "what agents are to do cannot be concluded or kept: they are answered 503",
    "tls": "the server's certificate, its key or the CAs are refused: those before them stay",
    "authorities": "a file of the clients' CAs is refused: what was trusted before stays",
    "crl": "a revocation list is refused or out of date",
    "voms": "a VOMS file is refused",
    "signing_policy": "a signing policy is refused",
    "cycle": "a cycle could not be ended",
    "render": "an agent's data could not be rendered: the cycle went on without it",
    "log": "the log cannot be written",
    LOOK: "a look at files or store fails by an error that nobody expected: what was there before stays",
    EXCEPTION: "the process ends by an error that nobody expected",
}
"""What may be in trouble, and what that means: these are label values, so there are no others."""

LONGEST_REASON = 400
"""Characters of a reason that are kept; fewer where many reasons must share the room."""


class Trouble(Struct, frozen=True, array_like=True):
    """One thing that is wrong with a process now, such as `collector`, `store`, `disk is full`.

    `what` is a key of TROUBLES, `since` when it was first said, seconds since the epoch.
    """

    process: str
    what: str
    reason: str
    since: float


class Ending(Struct, frozen=True, array_like=True):
    """How the last occupant of a slot ended; times in seconds, `at` since the epoch."""

    cause: Literal["signal", "exit", "hang", "fork", "recycle"]
    """fork: it never began, since the kernel had no room for another process; recycle: it was asked to."""
    how: str
    """Such as `killed by SIGKILL`, `exit code 1`, `no sign of life for 32 s, killed`."""
    at: float
    lived: float
    trouble: str | None = None
    """The last that it said was wrong with it; None: it said nothing."""

    def __str__(self) -> str:
        return f"{self.how}: {self.trouble}" if self.trouble else self.how


class Troubles:
    """What one process says is wrong with it, in the order in which it began. It is encoded to be shared."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], Trouble] = {}

    def say(self, process: str, what: str, reason: str | None, now: float) -> bool:
        """Take up a reason, or that there is none any more; whether anything is new.

        Raises ValueError for what is not in TROUBLES.
        """
        if what not in TROUBLES:
            raise ValueError(f"trouble with {what!r}: must be one of {', '.join(TROUBLES)}")
        before = self._said.get((process, what))
        if reason is None:
            return self._said.pop((process, what), None) is not None
        line = " ".join(writable(reason).split())[:LONGEST_REASON] or "no reason given"
        if before is not None and before.reason == line:
            return False
        self._said[process, what] = Trouble(process, what, line, before.since if before else now)
        return True

    def encode(self, longest: int) -> bytes:
        """Write all in at most `longest` bytes: where they are too many, each says less."""
        said, limit = list(self._said.values()), LONGEST_REASON
        while len(octets := msgspec.msgpack.encode(said)) > longest:
            limit //= 2
            said = [msgspec.structs.replace(trouble, reason=trouble.reason[:limit]) for trouble in said]
        return octets


def decode_troubles(octets: bytes) -> Sequence[Trouble]:
    """Read what `Troubles.encode` wrote."""
    return msgspec.msgpack.decode(octets, type=tuple[Trouble, ...]) if octets else ()


def last_line(error: BaseException) -> str:
    """Say an error in one line; of a group, the first that is none."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
