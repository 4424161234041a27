"""The children of one supervisor: start them, hear them, reap them, kill those that hang."""

import logging
import os
import resource
import signal
import socket
from collections.abc import Sequence
from functools import partial

from rcmon.process import signals
from rcmon.process.context import ChildSpec
from rcmon.process.fork import Pipes, fork_child, serve_spec
from rcmon.process.scoreboard import Scoreboard
from rcmon.process.summary import summary
from rcmon.process.watched import Limits, Watched

LOG = logging.getLogger("rcmon.process")

_TICK = 1.0
_STARTING_TICK = 0.05
"""Seconds between two looks at who became ready."""
_COMPLETING_TICK = 0.2
"""Seconds between two looks at who became complete."""
_STACKS_TICK = 0.2
"""Seconds for a child that hangs to print where, before it is killed."""
_SERVING_PAUSE = 0.2
_STARTING_PAUSE = 1.0
"""Seconds at most until one that listens starts again when no other lives, as its last life came to serve or
did not: however the workers end, a client waits no longer than that, and a start that always fails does not
fill the log."""
_STALL = 5.0
"""Seconds between two looks from which on the parent itself stood still (Ctrl-Z, a frozen container)."""


class Children:
    """One child per spec, none alive yet. All times are `time.monotonic()`.

    Raises ValueError when two specs share a name or a slot.
    """

    def __init__(
        self,
        scoreboard: Scoreboard,
        specs: Sequence[ChildSpec],
        *,
        pipes: Pipes,
        sockets: Sequence[socket.socket],
        limits: Limits,
    ) -> None:
        for attribute in ("name", "slot"):
            values = [getattr(spec, attribute) for spec in specs]
            if len(set(values)) < len(values):
                raise ValueError(f"two children share a {attribute}: {values}")
        self._all = [Watched(spec, scoreboard.slot(spec.slot)) for spec in specs]
        self._pipes = pipes
        self._sockets = sockets
        self._limits = limits
        self._stopping = False
        self._looked = 0.0

    @property
    def alive(self) -> list[Watched]:
        """Those that are forked and not reaped."""
        return [child for child in self._all if child.pid is not None]

    @property
    def all_ready(self) -> bool:
        """Whether every one is alive and ready."""
        return all(child.ready for child in self._all)

    @property
    def all_complete(self) -> bool:
        """Whether every one is ready and lacks nothing."""
        return self.all_ready and all(child.slot.complete for child in self._all)

    def summary(self) -> str:
        """Say in a line what they do, and what is wrong with them."""
        return summary([(child.spec.name, child.slot) for child in self._all])

    def start_due(self, now: float) -> None:
        """Fork those that do not live and whose pause is over."""
        for child in self._all:
            if child.pid is None and child.due <= now:
                self._start(child, now)

    def send(self, number: int) -> None:
        """Send a signal to all that live."""
        for child in self._all:
            child.send(number)

    def stop(self, number: int) -> None:
        """Send the signal that ends them; from now on an end is no surprise."""
        self._stopping = True
        self.send(number)

    def look(self, now: float) -> None:
        """Take note of who became ready and who ended, and kill who hangs."""
        ready = self._pipes.read_ready()
        for child in self._all:
            if child.pid in ready:
                child.become_ready(now)
                LOG.log(logging.INFO if child.starts > 1 else logging.DEBUG, "%s is ready", child.label)
        self.reap(now)
        self._kill_hanging(now)
        self._recycle(now)

    def time_to_wait(self, now: float) -> float:
        """Seconds until the next look, should no signal come before."""
        waits = [_TICK]
        for child in self._all:
            if child.pid is None:
                waits.append(child.due - now)
            elif child.hangs is not None:
                waits.append(_STACKS_TICK)
            elif not child.ready:
                waits.append(_STARTING_TICK)
            elif not child.slot.complete:
                waits.append(_COMPLETING_TICK)
        return max(0.0, min(waits))

    def _start(self, child: Watched, now: float) -> None:
        serve = partial(
            serve_spec,
            child.spec,
            child.slot,
            pipes=self._pipes,
            sockets=self._sockets,
            grace=self._limits.grace,
        )
        if child.starts:
            child.slot.count_restart()
        try:
            pid = fork_child(child.spec.name, serve, self._pipes)
        except OSError as error:
            child.never_begin(str(error.strerror), now)
            self._keep_one_coming(now)
            LOG.warning("%s: cannot fork (%s)%s", child.spec.name, error.strerror, _again(child, now))
            return
        child.begin(pid, now)

    def reap(self, now: float) -> None:
        """Collect all that ended, also strangers: as process 1 of a container we inherit them."""
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for child in self._all:
                if child.pid == pid:
                    self._note_end(child, os.waitstatus_to_exitcode(status), used, now)

    def _note_end(self, child: Watched, code: int, used: resource.struct_rusage, now: float) -> None:
        label = child.label
        ending = child.end(code, now, used.ru_utime + used.ru_stime)
        self._keep_one_coming(now)
        if not self._stopping:
            LOG.warning("%s ended after %.1f s: %s%s", label, ending.lived, ending, _again(child, now))
        elif code:
            LOG.warning("%s ended while stopping: %s", label, ending)

    def _keep_one_coming(self, now: float) -> None:
        """Never let all that listen pause at once: nobody would answer."""
        listening = [child for child in self._all if child.spec.listens]
        if listening and all(child.pid is None for child in listening):
            first = min(listening, key=lambda child: child.due)
            first.hurry(now, _SERVING_PAUSE if first.served else _STARTING_PAUSE)

    def _recycle(self, now: float) -> None:
        """Have one that takes too much drain and end, never the only one that listens.

        One that listens does so while the others that do work, another one while all work.
        """
        if self._stopping or any(child.recycled for child in self._all):
            return
        listening = [child for child in self._all if child.spec.listens]
        serving = len(listening) > 1 and all(child.ready and child.slot.complete for child in listening)
        for child in self._all:
            may = serving if child.spec.listens else self.all_complete
            if may and (reason := child.excess(now, self._limits.ceilings)):
                child.recycled = reason
                LOG.warning("%s takes %s: it drains, and is started anew", child.label, reason)
                child.send(signal.SIGTERM)
                return

    def _kill_hanging(self, now: float) -> None:
        """Kill who is overdue, having it print first where it hangs."""
        stalled = self._looked and now - self._looked > _STALL
        self._looked = now
        for child in self.alive:
            if stalled:
                child.watched_from = now
            if child.hangs is not None:
                child.send(signal.SIGKILL)
            elif reason := child.overdue(now, self._limits):
                child.hangs = reason
                LOG.error("%s: %s, killing it", child.label, reason)
                child.send(signals.STACK_SIGNAL)


def _again(child: Watched, now: float) -> str:
    """Say when it starts again."""
    wait = child.due - now
    return f"; starts again in {wait:g} s" if wait > 0 else "; starts again at once"
