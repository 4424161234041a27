"""What stands on top of a process's loop: a supervised child, or everything in one process."""

import asyncio
import functools
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from rcmon.process.context import ChildContext
from rcmon.process.leave import print_stacks_on_signal
from rcmon.process.loop import Main, MainLoop
from rcmon.process.notify import Notifier
from rcmon.process.slot import Slot


def run_async(main: Main, context: ChildContext) -> int:
    """Run `main(context)` in a loop of its own and give the exit code: the way of a supervised child.

    TERM, INT and the parent's death set `context.stop`, HUP calls what `context.on_reload` was given; the
    heart beats from the loop, so that a loop that hangs is noticed. A main that still runs after
    `context.drain_time` is cancelled. The code is 0 when it ended because it was asked to, else 1.
    """
    return asyncio.run(MainLoop([(main, context)]).run())


def run_single(
    mains: Mapping[str, Main],
    slot: Slot,
    *,
    grace: float,
    sockets: Sequence[socket.socket] = (),
    on_ready: Callable[[], None] | None = None,
    notifier: Notifier | None = None,
) -> int:
    """Run every main, by name, in this process and one loop, without a fork, and give the exit code.

    Every main has a context of its own, as in a child of its own; they share slot, sockets and stop. When
    one ends unasked, the others are stopped too and the code is 1. `on_ready` is called once, when all are
    complete. A second TERM or INT ends the process at once. The caller ends the process with `leave(code)`.
    """
    notifier = notifier or Notifier()
    stop = asyncio.Event()
    together = _Together(mains, slot, notifier, on_ready)
    contexts = [
        ChildContext(
            name,
            slot,
            grace=grace,
            sockets=sockets,
            stop=stop,
            on_ready=functools.partial(together.become_ready, name),
            on_complete=functools.partial(together.become_complete, name),
        )
        for name in mains
    ]
    print_stacks_on_signal()
    slot.occupy(os.getpid(), time.monotonic())
    return asyncio.run(MainLoop(list(zip(mains.values(), contexts, strict=True)), notifier).run())


class _Together:
    """Mains of one process, by name: ready and complete when all of them are."""

    def __init__(
        self, names: Iterable[str], slot: Slot, notifier: Notifier, on_ready: Callable[[], None] | None
    ) -> None:
        self._starting, self._incomplete = set(names), set(names)
        self._slot, self._notifier, self._on_ready = slot, notifier, on_ready

    def become_ready(self, name: str) -> None:
        """Note that one does its work now."""
        self._starting.discard(name)
        if not self._starting:
            self._slot.become_ready()

    def become_complete(self, name: str) -> None:
        """Note that one lacks nothing any more, and announce the service with the last."""
        self._incomplete.discard(name)
        if not self._incomplete:
            self._slot.become_complete()
            self._notifier.ready()
            if self._on_ready is not None:
                self._on_ready()
