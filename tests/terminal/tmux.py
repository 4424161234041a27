"""A real terminal: tmux on a socket of its own, in which a program runs."""

import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.integration.running import until
from tests.servers import need


class Terminal:
    """One window, as wide and high as it is told."""

    def __init__(self, folder: Path, given: Mapping[str, str], width: int = 100, height: int = 30) -> None:
        self._tmux = [need("tmux"), "-S", str(folder / "tmux"), "-f", "/dev/null"]
        size = ["-x", str(width), "-y", str(height)]
        names = [f"{name}={value}" for name, value in given.items() if name != "TERM"]
        self._run("new-session", "-d", *size, "env", "-i", *names, "TERM=tmux-256color", "PS1=ready:", "sh")
        until(lambda: "ready:" in self.text(), "a shell")

    def _run(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True, timeout=300)
        return done.stdout

    def start(self, *arguments: str) -> None:
        """Run rcmon-cli in it; its exit status is printed behind it."""
        command = shlex.join([sys.executable, "-m", "rcmon.terminal", *arguments])
        self.type(f"{command}; echo status=$?", "Enter")

    def type(self, *keys: str) -> None:
        """Press keys, as tmux names them."""
        self._run("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        """Make the window smaller or larger."""
        self._run("resize-window", "-x", str(width), "-y", str(height))

    def text(self, *options: str) -> str:
        """Give what is seen."""
        return self._run("capture-pane", "-p", *options)

    def shows(self, *words: str) -> str:
        """Wait until all words are seen; gives what is."""

        def seen() -> str:
            text = self.text()
            return text if all(word in text for word in words) else ""

        return self.until(seen, f"{words}")

    def until(self, holds: Callable[[], str], what: str) -> str:
        """Wait for something of the screen."""
        try:
            found: str = until(holds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen is\n{self.text()}") from None
        return found

    def process(self) -> int:
        """Give the number of the program that runs in front."""
        shell = self._run("display-message", "-p", "#{pane_pid}").strip()
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return int(children[0])

    def flags(self) -> str:
        """Tell whether the alternate screen is on, and whether a cursor is seen."""
        return self._run("display-message", "-p", "#{alternate_on} #{cursor_flag}").strip()

    def end(self) -> None:
        """Close it."""
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True, timeout=300)
