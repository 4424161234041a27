"""What a child is, and what it is given."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from rcmon.process.figures import OwnFigures
from rcmon.process.slot import Slot

LOG = logging.getLogger("rcmon.process")

_DRAIN_SHARE = 0.9
"""Share of the grace time for a drain; the rest is for closing what the drain left."""


class ChildContext:
    """What a child may use: its slot, its sockets, and the ways to hear from its parent and to speak to it.

    `stop` is set when the child is to drain and leave: TERM, INT, or the parent is gone. `grace` is the
    time in seconds from there until it is killed. `sockets` are the listening sockets, empty unless its
    spec says that it listens; `local_sockets` are those that only this machine can reach. `lifeline` is a
    descriptor that becomes readable (end of file) when the parent is gone; None without a parent.
    `run_async` watches it already.
    """

    def __init__(
        self,
        name: str,
        slot: Slot,
        *,
        grace: float,
        sockets: Sequence[socket.socket] = (),
        lifeline: int | None = None,
        stop: asyncio.Event | None = None,
        on_ready: Callable[[], None] | None = None,
        on_complete: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.slot = slot
        self.grace = grace
        self.sockets = tuple(each for each in sockets if each.family != socket.AF_UNIX)
        self.local_sockets = tuple(each for each in sockets if each.family == socket.AF_UNIX)
        self.lifeline = lifeline
        self.stop = stop or asyncio.Event()
        self._on_ready, self._on_complete = on_ready, on_complete
        self._figures = OwnFigures()
        self._callbacks: list[Callable[[], object]] = []
        self._missed_reload = False

    @property
    def drain_time(self) -> float:
        """Seconds from `stop` until a drain should be over."""
        return self.grace * _DRAIN_SHARE

    def ready(self, *, complete: bool = True) -> None:
        """Tell the parent that this child does its work now; only the first call counts.

        One that is not complete lacks something that comes by itself, such as a first snapshot: it is not
        started again for that, but the service is not announced before.
        """
        tell, self._on_ready = self._on_ready, None
        if tell is not None:
            tell()
        if complete:
            self.complete()

    def complete(self) -> None:
        """Tell the parent that nothing is lacking any more; only the first call counts."""
        tell, self._on_complete = self._on_complete, None
        if tell is not None:
            tell()

    def doing(self, text: str) -> None:
        """Tell everybody in a few words what is done here, such as `cycle 12: 3 of 3 agents`."""
        self.slot.do(text)

    def trouble(self, what: str, reason: str | None) -> None:
        """Tell everybody what is wrong here, or with `None` that it is right again; it need not be new.

        Raises ValueError for what is not in `rcmon.process.trouble.TROUBLES`. A reason holds no secret:
        readers of the status see it.
        """
        self.slot.say(self.name, what, reason)

    def beat(self, lag: float = 0.0) -> None:
        """Show that this process lives, by how many seconds its loop was late lately, and what it takes."""
        self.slot.beat(time.monotonic(), lag)
        self._figures.record(self.slot)

    def on_reload(self, callback: Callable[[], object]) -> None:
        """Have `callback` called at every SIGHUP, and now if one came before anybody listened."""
        self._callbacks.append(callback)
        if self._missed_reload:
            self._missed_reload = False
            self._call(callback)

    def reload(self) -> None:
        """Tell those who listen that files are to be read again; one that fails hinders no other."""
        self._missed_reload = not self._callbacks
        for callback in self._callbacks:
            self._call(callback)

    def _call(self, callback: Callable[[], object]) -> None:
        try:
            callback()
        except Exception:
            LOG.exception("%s: reading again failed, going on as before", self.name)


class ChildSpec(Struct, frozen=True):
    """One child to keep running: `run` gets its context in the new process and gives the exit code.

    It starts with TERM, INT and HUP blocked, so that none is lost before somebody takes them:
    `functools.partial(run_async, main)` does; a `run` without a loop unblocks them itself.
    `slot` is the index of its slot, of which it is the only user. A child that does not listen closes the
    service's sockets.
    """

    name: str
    run: Callable[[ChildContext], int | None]
    slot: int
    listens: bool = False
