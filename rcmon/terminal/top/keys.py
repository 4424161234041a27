"""Keys, as a terminal sends them."""

import re
from collections.abc import Iterator

_NAMES = {
    "\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down",
    "\x1b[C": "right", "\x1bOC": "right", "\x1b[D": "left", "\x1bOD": "left",
    "\x1b[5~": "page-up", "\x1b[6~": "page-down",
    "\x1b[H": "home", "\x1bOH": "home", "\x1b[1~": "home", "\x1b[7~": "home",
    "\x1b[F": "end", "\x1bOF": "end", "\x1b[4~": "end", "\x1b[8~": "end",
    "\x1b[Z": "back-tab", "\x1bOP": "f1", "\x1b[11~": "f1", "\x1b[21~": "f10",
    "\t": "tab", "\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\x1b": "escape",
    "\x0c": "redraw", "\x15": "clear",
}  # fmt: skip
_ONE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1bO.|\x1b|.", re.DOTALL)


def keys(sent: bytes) -> Iterator[str]:
    """Name the keys in what was sent: a character by itself, others by a name; unknown ones are left out."""
    for found in _ONE.findall(sent.decode(errors="ignore")):
        name = _NAMES.get(found, found)
        if len(name) > 1 and name == found:
            continue  # a sequence that is not known here
        if name.isprintable():
            yield name
