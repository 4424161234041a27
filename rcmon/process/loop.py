"""One asyncio loop that does what one or several mains do, until they are asked to leave or one fails."""

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from types import FrameType
from typing import Any

from rcmon.process.context import ChildContext
from rcmon.process.leave import leave, leave_after
from rcmon.process.notify import Notifier
from rcmon.process.signals import CHILD_SIGNALS, STOP_SIGNALS
from rcmon.process.summary import summary
from rcmon.process.trouble import EXCEPTION, last_line

LOG = logging.getLogger("rcmon.process")

Main = Callable[[ChildContext], Coroutine[Any, Any, None]]
"""What a process does: from its start until `context.stop` is set and it has drained."""

_HEARTBEAT = 1.0
"""Seconds between two signs of life: few against the time after which a silent child is killed."""
_BEATS_TOLD = 10
"""The latest of so many beats tells how late the loop is."""


class MainLoop:
    """Runs mains with contexts that share slot, stop, grace time and lifeline.

    `notifier` is given where no parent watches: this process then speaks to the service manager itself,
    and a second TERM or INT ends it at once (a child leaves that to its parent).
    """

    def __init__(self, mains: Sequence[tuple[Main, ChildContext]], notifier: Notifier | None = None) -> None:
        self._mains = mains
        self._contexts = [context for _, context in mains]
        self._first = self._contexts[0]
        self._notifier = notifier
        self._asked = False
        self._leaving = False

    async def run(self) -> int:
        """Run all to their end; the code is 0 when every one ended because it was asked to, else 1."""
        loop = asyncio.get_running_loop()
        self._take_signals(loop)
        if self._first.lifeline is not None:
            self._watch_parent(loop, self._first.lifeline)
        heart = asyncio.create_task(self._beat())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CHILD_SIGNALS)
        try:
            return await self._run_mains()
        finally:
            # The loop closes now: no late signal may reach it, or kill what leaves well.
            signal.pthread_sigmask(signal.SIG_BLOCK, CHILD_SIGNALS)
            heart.cancel()

    async def _run_mains(self) -> int:
        tasks = {asyncio.create_task(main(context), name=context.name) for main, context in self._mains}
        stopped = asyncio.create_task(self._first.stop.wait())
        await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        unasked = not self._leaving
        for task in tasks:
            if unasked and task.done():
                LOG.error("%s ended though nobody asked it to", task.get_name())
        self._leave()
        _, late = await asyncio.wait(tasks, timeout=self._first.drain_time)
        for task in late:
            LOG.warning(
                "%s has not drained within %g s, cutting it off", task.get_name(), self._first.drain_time
            )
            task.cancel()
        if late:
            await asyncio.wait(late)
        failures = [self._report_failure(task) for task in tasks]
        return 1 if unasked or any(failures) else 0

    def _report_failure(self, task: asyncio.Task[None]) -> bool:
        """Log what a main raised, and say it; a main that was cut off did not fail."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            LOG.error("%s failed", task.get_name(), exc_info=error)
            self._first.slot.say(task.get_name(), EXCEPTION, last_line(error))
        return error is not None

    async def _beat(self) -> None:
        lags: deque[float] = deque(maxlen=_BEATS_TOLD)
        while True:
            self._first.beat(max(lags, default=0.0))
            if self._notifier is not None:
                self._notifier.status(summary([(self._first.name, self._first.slot)]))
                if not self._first.slot.complete:
                    self._notifier.starting(time.monotonic())
                self._notifier.alive(time.monotonic())
            due = time.monotonic() + _HEARTBEAT
            await asyncio.sleep(_HEARTBEAT)
            lags.append(max(0.0, time.monotonic() - due))

    def _take_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        """Turn signals into calls from the loop.

        TERM and INT come by Python's own handlers, which run even while a callback never gives the loop
        back: such a process leaves within the grace time all the same.
        """

        def take(_number: int, _frame: FrameType | None) -> None:
            if self._asked and self._notifier is not None:
                LOG.warning("asked to stop again")
                leave(0)
            if not self._asked:
                self._asked = True
                leave_after(self._first.grace)
            loop.call_soon_threadsafe(self._leave)

        for number in STOP_SIGNALS:
            signal.signal(number, take)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _leave(self) -> None:
        """Have the mains drain; a terminal's Ctrl-C asks a child twice."""
        if not self._leaving:
            self._leaving = True
            leave_after(self._first.grace)
            if self._notifier is not None:
                LOG.info("stopping within %g s", self._first.grace)
                self._notifier.stopping()
            self._first.stop.set()

    def _reload(self) -> None:
        announced = self._notifier if self._first.slot.complete else None
        if self._notifier is not None:
            LOG.info("SIGHUP: reading certificates, roles and sources again")
        if announced is not None:
            announced.reloading()
        for context in self._contexts:
            context.reload()
        if announced is not None:
            announced.ready()

    def _watch_parent(self, loop: asyncio.AbstractEventLoop, lifeline: int) -> None:
        """Drain when the parent is gone, and leave within the grace time even if the loop hangs.

        A thread of its own: a loop that hangs would not see the end of the lifeline.
        """

        def watch() -> None:
            os.read(lifeline, 1)
            leave_after(self._first.grace)
            # RuntimeError: the loop is closed already, the process is on its way out.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._leave)

        threading.Thread(target=watch, name="lifeline", daemon=True).start()
