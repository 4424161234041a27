"""Who is paged: takes what Alertmanager's webhooks send."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Pages:
    """What was sent, by receiver."""

    def __init__(self) -> None:
        self._taken: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()
        self.port = 0

    def take(self, receiver: str, page: dict[str, Any]) -> None:
        """Take a notification."""
        with self._lock:
            self._taken.append((receiver, page))

    def of(self, receiver: str, agent: str) -> list[dict[str, Any]]:
        """Give the notifications to a receiver in which an agent is named."""
        with self._lock:
            return [
                page
                for to, page in self._taken
                if to == receiver and any(alert["labels"].get("agent") == agent for alert in page["alerts"])
            ]


@contextlib.contextmanager
def paging() -> Iterator[Pages]:
    """Listen for notifications, each receiver at its own path."""
    pages = Pages()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            pages.take(self.path.strip("/"), json.loads(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *said: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    pages.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
