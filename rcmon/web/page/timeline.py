"""In which state each agent held a site over time, from the journal. Pure.

Each entry tells what held before it: so much is known of the time before the first. Of what is older than the
journal nothing is known, and nothing is drawn.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from rcmon.model.journal import SITE, STATE, JournalEntry, Value
from rcmon.timestamps import iso

KINDS = (SITE.name, STATE.name)
"""The entries that tell of it."""
ABSENT = "absent"
"""In place of a state: the agent did not have the site."""
UNKNOWN = "unknown"


class Window(Struct, frozen=True):
    """What is looked at; seconds since the epoch."""

    since: float
    until: float
    kept: float | None
    """Since when the journal tells of every change; None: it tells of none."""


_HEIGHTS: Mapping[str, int] = {"Normal": 4, "Draining": 7, "Down": 10, "Aborted": 10}
"""How high a state is drawn, in tenths: the worse the higher, since not everybody sees colours."""


class Stretch(Struct, frozen=True):
    """One state that held for a while."""

    state: str
    begin: str | None
    end: str | None
    left: float
    """Where it begins, in hundredths of the window; likewise its width."""
    width: float
    begun: bool
    """Whether it began then; else it is known since then only."""

    @property
    def height(self) -> int:
        """Tell how high it is drawn, in tenths."""
        return _HEIGHTS.get(self.state, 2)


class Line(Struct, frozen=True):
    """One agent's states."""

    agent: str
    stretches: Sequence[Stretch]
    """Oldest first."""


def timeline(
    entries: Iterable[JournalEntry], now: Mapping[str, str | None], window: Window
) -> Sequence[Line]:
    """Draw each agent's line; `entries` oldest first, `now`: the state at the window's end, by agent."""
    by_agent: dict[str, list[JournalEntry]] = {name: [] for name in now}
    for one in entries:
        if one.kind in KINDS and one.agent is not None and one.time <= window.until:
            by_agent.setdefault(one.agent, []).append(one)
    return [Line(name, _stretches(by_agent[name], now, name, window)) for name in sorted(by_agent)]


def _stretches(
    entries: Sequence[JournalEntry], now: Mapping[str, str | None], name: str, window: Window
) -> Sequence[Stretch]:
    first = window.until if window.kept is None else max(window.since, window.kept)
    if first >= window.until:
        return ()
    begins: list[tuple[float, str, bool]] = []
    held = _state(entries[0].old) if entries else (now[name] or UNKNOWN) if name in now else ABSENT
    begins.append((first, held, False))
    for one in entries:
        state = _state(one.new)
        if one.time <= first:
            begins = [(first, state, False)]
        elif state != begins[-1][1]:
            begins.append((one.time, state, True))
    ends = [begin for begin, _, _ in begins[1:]] + [window.until]
    length = window.until - window.since
    return [
        Stretch(
            state,
            iso(begin),
            iso(end),
            round(100 * (begin - window.since) / length, 2),
            round(100 * (end - begin) / length, 2),
            begun,
        )
        for (begin, state, begun), end in zip(begins, ends, strict=True)
    ]


def _state(value: Value) -> str:
    return ABSENT if value is None else value.get("state") or UNKNOWN
