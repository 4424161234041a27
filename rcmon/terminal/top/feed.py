"""What the screen shows, asked for again and again in a thread; the service may go and come back."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import Struct

from rcmon.terminal.answers import as_type
from rcmon.terminal.client import Client, Query
from rcmon.terminal.failure import FORBIDDEN, SOFTWARE, TerminalError
from rcmon.terminal.shapes import AgentSeen, FindingSeen, SiteSeen, StatusSeen

_SITES: Query = {
    "fields": "name,tier,state,states,running_slots,pending_slots,running_jobs,pending_jobs",
}
_NOT_MODIFIED = 304

T = TypeVar("T")


class FeedShown(Struct, frozen=True):
    """What the service told in one round."""

    status: StatusSeen
    sites: Sequence[SiteSeen]
    agents: Sequence[AgentSeen]
    findings: Sequence[FindingSeen]
    received: float
    """When, by a clock that nobody sets; seconds."""

    def age(self, now: float) -> float | None:
        """Tell how old it is, seconds; None: the service did not know."""
        told = self.status.age
        return None if told is None else told + max(0.0, now - self.received)


class FeedTrouble(Struct, frozen=True):
    """Why the newest round told nothing."""

    message: str
    status: int
    """As an exit status."""
    since: str
    """When it began, in UTC."""


class FeedState(Struct, frozen=True):
    """What is known at a moment."""

    shown: FeedShown | None = None
    trouble: FeedTrouble | None = None


class Feed:
    """Asks in rounds until it is closed."""

    def __init__(self, client: Client, renew: Callable[[], Client], interval: float) -> None:
        """`renew` makes another client, of the certificate as it is now."""
        self.service = client.service
        self.state = FeedState()
        """Replaced as a whole after each round."""
        self._client, self._renew, self._interval = client, renew, interval
        self._known: dict[str, tuple[str | None, Any]] = {}
        self._again, self._ended = threading.Event(), threading.Event()
        self.wake, self._waker = os.pipe()
        """A descriptor that can be read from when there is a new state."""
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def now(self) -> None:
        """Ask at once."""
        self._again.set()

    def close(self) -> None:
        """End; a question that is being asked is given up."""
        self._ended.set()
        self._again.set()
        self._client.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            self.state = self._round()
            os.write(self._waker, b"!")
            self._again.wait(self._interval)
            self._again.clear()

    def _round(self) -> FeedState:
        before = self.state
        try:
            return FeedState(self._ask())
        except TerminalError as error:
            trouble = error
            if error.status == FORBIDDEN:  # a proxy that has ended may have been renewed
                self._reconnect()
        except Exception as error:  # noqa: BLE001 - the screen says it, and goes on
            trouble = TerminalError(
                f"an error of this program's own: {type(error).__name__}: {error}", SOFTWARE
            )
        began = before.trouble.since if before.trouble else f"{datetime.now(UTC):%H:%M:%SZ}"
        return FeedState(before.shown, FeedTrouble(str(trouble), trouble.status, began))

    def _reconnect(self) -> None:
        try:
            client = self._renew()
        except TerminalError:
            return
        self._client.close()
        self._client, self._known = client, {}

    def _ask(self) -> FeedShown:
        status = as_type(self._client.get("/status").document, StatusSeen, "the service's status")
        received = time.monotonic()
        return FeedShown(
            status,
            self._listed("/sites", "sites", _SITES, list[SiteSeen]),
            self._listed("/agents", "agents", {}, list[AgentSeen]),
            self._listed("/findings", "findings", {}, list[FindingSeen]),
            received,
        )

    def _listed(self, path: str, items: str, query: Query, shape: type[T]) -> T:
        """Ask for a list; what has not changed is not sent again."""
        etag, before = self._known.get(path, (None, None))
        answer = self._client.get(path, query, etag=etag)
        if answer.status == _NOT_MODIFIED:
            return before  # type: ignore[no-any-return]
        document = answer.document if isinstance(answer.document, dict) else {}
        found = as_type(document.get(items), shape, f"the list of {items}")
        self._known[path] = answer.etag, found
        return found
