"""The loop of the screen: it draws, waits for a key, a signal, news or the next second, and draws again."""

import signal
import time

from msgspec import structs

from rcmon.terminal.failure import INTERRUPTED
from rcmon.terminal.top.feed import Feed, FeedState
from rcmon.terminal.top.frame import Scene, frame, page_of, rows_of
from rcmon.terminal.top.keys import keys
from rcmon.terminal.top.screen import Screen, fatal
from rcmon.terminal.top.view import ScreenView, pressed

_TICK = 1.0
"""Seconds between two frames when nothing happens: ages go on."""
_SIGNALLED = 128


def run(screen: Screen, feed: Feed) -> int:
    """Show until somebody ends it; gives the exit status."""
    view, held = ScreenView(), FeedState()
    while True:
        if not view.paused:
            held = feed.state
        width, height = screen.size()
        shown = _shown(held, feed.state)
        screen.draw(frame(Scene(feed.service, shown, view, time.monotonic(), width, height)))
        sent, signals = screen.wait(_TICK, feed.wake)
        for number in fatal(signals):
            return INTERRUPTED if number == signal.SIGINT else _SIGNALLED + number
        if signal.SIGTSTP in signals:
            screen.suspend()
        for key in keys(sent):
            view = pressed(view, key, len(rows_of(shown, view)), page_of(height))
            if view.quit:
                return 0
            if view.refresh:
                feed.now()


def _shown(held: FeedState, newest: FeedState) -> FeedState:
    """Give what is shown: data may be held, that the service is gone is said in any case."""
    return structs.replace(held, trouble=newest.trouble)
