"""Fork one child, and what happens in it before and after its own work."""

import asyncio
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from rcmon.process import signals
from rcmon.process.context import ChildContext, ChildSpec
from rcmon.process.leave import flush_output, leave, print_stacks_on_signal
from rcmon.process.slot import Slot
from rcmon.process.trouble import EXCEPTION, last_line

LOG = logging.getLogger("rcmon.process")

_PID_BYTES = 4


class Pipes(Struct, frozen=True):
    """The two pipes between the parent and all of its children, whatever their number.

    lifeline: only the parent holds its write end, so its end of file means that the parent is gone, however
    it went. ready: a child writes its pid there; the parent reads without waiting.
    """

    lifeline_read: int
    lifeline_write: int
    ready_read: int
    ready_write: int

    @classmethod
    def open(cls) -> "Pipes":
        """Make both."""
        pipes = cls(*os.pipe(), *os.pipe())
        os.set_blocking(pipes.ready_read, False)
        return pipes

    def close(self) -> None:
        """Close all ends: the parent leaves."""
        for end in (self.lifeline_read, self.lifeline_write, self.ready_read, self.ready_write):
            os.close(end)

    def keep_child_ends(self) -> None:
        """Close the parent's ends in a fresh child: one held here would hide the parent's death from all."""
        os.close(self.lifeline_write)
        os.close(self.ready_read)

    def tell_ready(self) -> None:
        """Tell the parent that this child is ready; one write of this size is never torn."""
        os.write(self.ready_write, os.getpid().to_bytes(_PID_BYTES, "little"))

    def read_ready(self) -> set[int]:
        """Read who became ready since the last call."""
        try:
            told = os.read(self.ready_read, 1024 * _PID_BYTES)
        except BlockingIOError:
            return set()
        return {int.from_bytes(told[i : i + _PID_BYTES], "little") for i in range(0, len(told), _PID_BYTES)}


def require_forkable() -> None:
    """Refuse to fork where a fork is not safe: beside other threads, or out of a running loop.

    Raises RuntimeError, which is a mistake in the program and not the user's.
    """
    names = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
    if names:
        raise RuntimeError(f"threads run at the fork: {', '.join(names)}; start them in the children")
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("an event loop runs at the fork; run it in the children")


def fork_child(name: str, body: Callable[[], int | None], pipes: Pipes) -> int:
    """Fork; the child runs `body` and leaves with its code, 1 when it raises. Gives the child's pid.

    The parent's signals are blocked around the call; in the child TERM, INT and HUP stay so. Raises OSError
    when the kernel has no room for another process.
    """
    flush_output()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signals.reset()
        pipes.keep_child_ends()
        print_stacks_on_signal()
        code = body() or 0
    except SystemExit as asked:
        code = asked.code if isinstance(asked.code, int) else 1
    except BaseException:
        LOG.exception("%s (pid %d) failed", name, os.getpid())
    finally:
        leave(code)


def serve_spec(
    spec: ChildSpec, slot: Slot, *, pipes: Pipes, sockets: Sequence[socket.socket], grace: float
) -> int | None:
    """Do in a fresh child what its spec says."""
    slot.occupy(os.getpid(), time.monotonic())
    if not spec.listens:
        for listening in sockets:
            listening.close()

    def tell_ready() -> None:
        slot.become_ready()
        pipes.tell_ready()

    context = ChildContext(
        spec.name,
        slot,
        grace=grace,
        sockets=sockets if spec.listens else (),
        lifeline=pipes.lifeline_read,
        on_ready=tell_ready,
        on_complete=slot.become_complete,
    )
    try:
        return spec.run(context)
    except Exception as error:
        context.trouble(EXCEPTION, last_line(error))
        raise
