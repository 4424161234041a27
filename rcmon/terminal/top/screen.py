"""A terminal taken over for a while, and given back as it was, however that ends."""

import contextlib
import io
import os
import select
import signal
import termios
import tty
from collections.abc import Iterator, Sequence
from types import FrameType, TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from rcmon.terminal.failure import USAGE, TerminalError

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
_LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l"
# a terminal that knows it shows what stands between at once; others leave it out
_WHOLE = "\x1b[?2026h", "\x1b[?2026l"
ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_HANDLED = (*ENDING, signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)


class Screen:
    """A terminal, drawn upon. Raises TerminalError where there is none."""

    def __init__(self, source: int, target: int, *, color: bool) -> None:
        if not (os.isatty(source) and os.isatty(target)):
            raise TerminalError(
                "top needs a terminal; `rcmon-cli sites` and its like print into files", USAGE
            )
        self._source, self._target, self._color = source, target, color
        self._signals: list[int] = []
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._before: dict[int, object] = {}
        self._held = termios.tcgetattr(source)

    def __enter__(self) -> Self:
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in _HANDLED:
            self._before[number] = signal.signal(number, self._note)
        self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        os.close(self._reader)
        os.close(self._writer)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._signals.append(number)

    def _take(self) -> None:
        tty.setcbreak(self._source)
        self._write(_ENTER)

    def _give_back(self) -> None:
        """Give the terminal back; one that is gone needs nothing."""
        with contextlib.suppress(OSError):
            self._write(_LEAVE)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._source, termios.TCSANOW, self._held)

    def size(self) -> tuple[int, int]:
        """Give columns and lines."""
        try:
            found = os.get_terminal_size(self._target)
        except OSError:
            return 80, 24
        return max(1, found.columns), max(1, found.lines)

    def draw(self, lines: Sequence[Text]) -> None:
        """Show lines, all of the screen."""
        text = io.StringIO()
        console = Console(
            file=text,
            force_terminal=True,
            color_system="standard" if self._color else None,
            no_color=not self._color,
            width=10_000,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
        )
        for place, line in enumerate(lines):
            end = "\x1b[K" if place == len(lines) - 1 else "\x1b[K\r\n"
            console.print(line, end=end, no_wrap=True, crop=False)
        self._write(f"{_WHOLE[0]}\x1b[H{text.getvalue()}{_WHOLE[1]}")

    def wait(self, seconds: float, other: int) -> tuple[bytes, Sequence[int]]:
        """Wait for keys, signals, or until another descriptor can be read; gives keys and signals.

        A terminal that is gone is a SIGHUP.
        """
        ready, _, _ = select.select([self._source, self._reader, other], [], [], seconds)
        keys = b""
        if other in ready:
            os.read(other, 4096)
        if self._reader in ready:
            os.read(self._reader, 4096)
        if self._source in ready:
            try:
                keys = os.read(self._source, 4096)
            except OSError:
                keys = b""
            if not keys:
                self._signals.append(signal.SIGHUP)
        noted, self._signals = self._signals, []
        return keys, noted

    def suspend(self) -> None:
        """Leave the terminal to the shell until somebody brings us to the front again."""
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        # here it goes on, after SIGCONT
        signal.signal(signal.SIGTSTP, self._note)
        self._take()

    def _write(self, text: str) -> None:
        rest = memoryview(text.encode(errors="backslashreplace"))
        while rest:
            rest = rest[os.write(self._target, rest) :]


def fatal(signals: Sequence[int]) -> Iterator[int]:
    """Give those of some signals that end it."""
    return (number for number in signals if number in ENDING)
