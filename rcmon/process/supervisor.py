"""The parent: forks the children, keeps them running, and takes them down together.

It has no loop, no threads and no open database, so that a fork is safe at any time: it sleeps until a
signal comes or a child is due.
"""

import gc
import logging
import signal
import socket
import time
from collections.abc import Callable, Sequence

from rcmon.process import signals
from rcmon.process.children import Children
from rcmon.process.chore import Chore
from rcmon.process.context import ChildSpec
from rcmon.process.fork import Pipes, require_forkable
from rcmon.process.notify import Notifier
from rcmon.process.scoreboard import Scoreboard
from rcmon.process.step import run_step
from rcmon.process.watched import Limits

LOG = logging.getLogger("rcmon.process")

_KILL_TIME = 5.0
"""Seconds in which the kernel must have ended what was killed; longer means a disk that hangs."""


class Supervisor:
    """Keeps one child per spec running until TERM or INT; see `run`.

    The parent closes `sockets` when stopping begins. `before` is a name and a step to be done first, in a
    short-lived child. `meanwhile` is done here about once a second, and at HUP before the children hear of
    it: whoever is forked afterwards begins with what it made. `on_ready` is called once, when all children
    are ready and complete the first time.
    Raises ValueError when two specs share a name or a slot.
    """

    def __init__(
        self,
        scoreboard: Scoreboard,
        specs: Sequence[ChildSpec],
        *,
        sockets: Sequence[socket.socket] = (),
        limits: Limits | None = None,
        before: tuple[str, Callable[[], None]] | None = None,
        meanwhile: Chore | None = None,
        on_ready: Callable[[], None] | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._pipes = Pipes.open()
        self._children = Children(scoreboard, specs, pipes=self._pipes, sockets=sockets, limits=self._limits)
        self._sockets = sockets
        self._before, self._meanwhile = before, meanwhile
        self._on_ready = on_ready
        self._notifier = notifier or Notifier()
        self._announced = False

    def run(self) -> int:
        """Run the service until TERM or INT and give the exit code, 0, when no child is left.

        A child that ends is started again, whatever ended it; one that hangs is killed. TERM and INT let
        the children drain within the grace time and kill the rest, a second one kills at once. HUP is
        passed on. Raises what the step before raised, and RuntimeError when threads or a loop are running.
        """
        require_forkable()
        with signals.blocked():
            try:
                if self._before is None or run_step(*self._before, self._pipes):
                    # What exists now lives on in all children: the collector's marks would copy its pages.
                    gc.collect()
                    gc.freeze()
                    self._serve()
                    self._stop()
            finally:
                self._kill_rest()
                self._pipes.close()
        return 0

    def _serve(self) -> None:
        """Keep the children running until TERM or INT."""
        while True:
            now = time.monotonic()
            self._children.start_due(now)
            number = signals.wait(self._children.time_to_wait(now))
            if number in signals.STOP_SIGNALS:
                return
            if number == signal.SIGHUP:
                self._reload()
            now = time.monotonic()
            self._children.look(now)
            if self._meanwhile is not None:
                self._meanwhile.do(now)
            self._announce()
            self._notifier.status(self._children.summary())
            if not self._announced:
                self._notifier.starting(now)
            self._notifier.alive(now)

    def _announce(self) -> None:
        """Say once that the service is complete."""
        if not self._announced and self._children.all_complete:
            self._announced = True
            LOG.info("all processes are ready")
            self._notifier.ready()
            if self._on_ready is not None:
                self._on_ready()

    def _reload(self) -> None:
        LOG.info("SIGHUP: certificates, roles and sources are read again")
        if self._announced:
            self._notifier.reloading()
        if self._meanwhile is not None:
            self._meanwhile.do(time.monotonic(), asked=True)
        self._children.send(signal.SIGHUP)
        if self._announced:
            self._notifier.ready()

    def _stop(self) -> None:
        """Let the children drain, no longer than the grace time and no second TERM or INT."""
        LOG.info("stopping within %g s", self._limits.grace)
        self._notifier.stopping()
        for listening in self._sockets:
            listening.close()
        self._children.stop(signal.SIGTERM)
        self._wait_for_ends(self._limits.grace, patient=False)

    def _kill_rest(self) -> None:
        """Kill what is left: nothing after a stop that went well."""
        left = self._children.alive
        if left:
            LOG.warning("killing what has not left: %s", ", ".join(child.label for child in left))
            self._children.stop(signal.SIGKILL)
            self._wait_for_ends(_KILL_TIME, patient=True)

    def _wait_for_ends(self, seconds: float, *, patient: bool) -> None:
        """Wait for all to end, at most `seconds`; unless patient, only until asked to stop again."""
        now = time.monotonic()
        deadline = now + seconds
        while self._children.alive and now < deadline:
            number = signals.wait(min(1.0, deadline - now))
            now = time.monotonic()
            self._children.reap(now)
            self._notifier.alive(now)
            if number in signals.STOP_SIGNALS and not patient:
                LOG.warning("asked to stop again")
                return
