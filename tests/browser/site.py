"""A service in a thread of its own, for tests that a browser's driver keeps busy."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from rcmon.model import Snapshot
from rcmon.render import render
from rcmon.store import Store
from rcmon.store.grid import add_grid
from rcmon.web.app import TABLE
from tests.browser.grid import make_day
from tests.store.using import save
from tests.web.serving import PROCESSES, Serving

T = TypeVar("T")
PATIENCE = 300
"""Seconds that anything may take on a busy machine."""
PAINTED = """() => new Promise((resolve) => {
  const look = () => {
    const [told] = performance.getEntriesByName("first-contentful-paint");
    if (told) resolve(told.startTime);
    else requestAnimationFrame(look);
  };
  look();
})"""
"""Wait until something can be read; gives when that was, in milliseconds from the page's begin."""


class Site:
    """One worker with all of its handlers, a store behind it, and a snapshot in that."""

    def __init__(self, path: Path, snapshot: Snapshot) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="site", daemon=True)
        self._thread.start()
        self.serving: Serving = self.run(lambda: self._begin(path, snapshot))
        self.snapshot = snapshot

    def run(self, what: Callable[[], Awaitable[T]]) -> T:
        """Do something where the service runs."""

        async def doing() -> T:
            return await what()

        return asyncio.run_coroutine_threadsafe(doing(), self._loop).result(PATIENCE)

    @property
    def origin(self) -> str:
        """Scheme, host and port; by name, which Chromium takes for secure."""
        return f"https://localhost:{self.serving.port}"

    def url(self, path: str = "/") -> str:
        """Tell the address of a page below the mount."""
        return f"{self.origin}/wm_resource_monitor{path}"

    def publish(self, snapshot: Snapshot) -> None:
        """Let a cycle end with a snapshot."""
        self.snapshot = snapshot
        self.run(lambda: self.serving.publish(snapshot))

    def end(self) -> None:
        """Stop the service and its thread."""
        self.run(self.serving.end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    async def _begin(self, path: Path, snapshot: Snapshot) -> Serving:
        store = Store(f"sqlite:///{path}")
        await store.migrate()
        await save(store, snapshot, render(snapshot), [])
        async with store.adding() as connection:
            for point in make_day(snapshot):
                await add_grid(connection, point)
        serving = Serving(table=TABLE, store=store, processes=PROCESSES)
        await serving.board.check()
        serving.server.throttle.remove()  # it would leave out lines of other tests, too
        return serving
