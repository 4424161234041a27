"""What stands on top of a process's loop: a supervised child, or everything in one process."""

import asyncio
import functools
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence

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
    starting, incomplete = set(mains), set(mains)

    def ready(name: str) -> None:
        starting.discard(name)
        if not starting:
            slot.become_ready()

    def complete(name: str) -> None:
        incomplete.discard(name)
        if not incomplete:
            slot.become_complete()
            notifier.ready()
            if on_ready is not None:
                on_ready()

    def context(name: str) -> ChildContext:
        return ChildContext(
            name,
            slot,
            grace=grace,
            sockets=sockets,
            stop=stop,
            on_ready=functools.partial(ready, name),
            on_complete=functools.partial(complete, name),
        )

    print_stacks_on_signal()
    slot.occupy(os.getpid(), time.monotonic())
    return asyncio.run(MainLoop([(main, context(name)) for name, main in mains.items()], notifier).run())
