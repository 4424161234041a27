"""What the web processes count, in cells of the scoreboard: totals over all of them, dead ones included.

Every cell is written by one process only and read by all. Labels come from fixed sets, so that no client
can make a series.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Protocol

from rcmon.access.identity import REFUSALS

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "other")
CODES = (200, 204, 206, 304, 400, 403, 404, 405, 406, 408, 413, 414, 415, 429, 431, 500, 501, 503)
"""Status codes that are counted by themselves; any other counts as its class, such as `4xx`."""
CODE_LABELS = (*map(str, CODES), "1xx", "2xx", "3xx", "4xx", "5xx")
BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the request duration histogram, seconds."""
HANDSHAKE_FAILURES = (
    "no_certificate",
    "unknown_ca",
    "expired",
    "not_yet_valid",
    "revoked",
    "wrong_purpose",
    "proxy_refused",
    "bad_certificate",
    "protocol",
    "client_alert",
    "timeout",
    "closed",
    "limit",
    "other",
)
FAILURES = tuple(dict.fromkeys((*HANDSHAKE_FAILURES, *REFUSALS)))
"""Why a connection did not come to be (TLS), or proves nobody (the rules about identities)."""
ROLES = ("reader", "agent", "operator", "admin", "any")
OUTCOMES = ("granted", "denied")
RELOADS = ("tls", "roles", "crl", "sources")
OTHER_ROUTE = "other"
"""The route of whatever no handler answers."""


class Board(Protocol):
    """What of the scoreboard is used here."""

    def total(self, cell: int) -> float:
        """Sum one cell over all processes."""
        ...


class Layout:
    """Where in a slot each count stands. `routes` are the patterns of the application's routes."""

    def __init__(self, routes: Sequence[str]) -> None:
        self.routes = (*routes, OTHER_ROUTE)
        self.requests = 0
        self.durations = self.requests + len(self.routes) * len(METHODS) * len(CODE_LABELS)
        self.connections = self.durations + len(self.routes) * (len(BUCKETS) + 2)
        self.failures = self.connections + 2
        self.decisions = self.failures + len(FAILURES)
        self.reloads = self.decisions + len(ROLES) * len(OUTCOMES)
        self.size = self.reloads + len(RELOADS) * len(OUTCOMES)
        self._route = {route: index for index, route in enumerate(self.routes)}
        self._method = {method: index for index, method in enumerate(METHODS)}
        self._code = {code: index for index, code in enumerate(CODES)}

    def request(self, route: str, method: str, code: int) -> int:
        """Find the cell of a request."""
        row = self._route.get(route, len(self.routes) - 1)
        column = self._method.get(method, len(METHODS) - 1)
        last = self._code.get(code)
        if last is None:
            last = len(CODES) + min(max(code // 100, 1), 5) - 1
        return self.requests + (row * len(METHODS) + column) * len(CODE_LABELS) + last

    def duration(self, route: str) -> int:
        """Find the first cell of a route's histogram: its buckets, the one above all, the sum."""
        row = self._route.get(route, len(self.routes) - 1)
        return self.durations + row * (len(BUCKETS) + 2)


class Tally:
    """The counts of one process, which alone writes them."""

    def __init__(self, layout: Layout, cells: "memoryview[float]") -> None:
        self.layout, self.cells = layout, cells
        self._requests: dict[tuple[str, str, int], int] = {}
        self._durations = {route: layout.duration(route) for route in layout.routes}

    def begin(self) -> None:
        """Begin where a predecessor ended: its counts stay, its connections died with it."""
        self.cells[self.layout.connections] = 0.0

    def request(self, route: str, method: str, code: int, seconds: float) -> None:
        """Count an answered request and how long it took."""
        cells = self.cells
        cell = self._requests.get((route, method, code))
        if cell is None:
            cell = self.layout.request(route, method, code)
            if method in METHODS:  # a client's invention would make the memo grow
                self._requests[(route, method, code)] = cell
        cells[cell] += 1.0
        start = self._durations.get(route, -1)
        if start < 0:
            start = self._durations[OTHER_ROUTE]
        cells[start + bisect_left(BUCKETS, seconds)] += 1.0
        cells[start + len(BUCKETS) + 1] += seconds

    def opened(self) -> None:
        """Count a connection that was accepted."""
        self.cells[self.layout.connections] += 1.0
        self.cells[self.layout.connections + 1] += 1.0

    def closed(self) -> None:
        """Count a connection that ended."""
        self.cells[self.layout.connections] -= 1.0

    def failed(self, reason: str) -> None:
        """Count a connection that was not let in; `reason` is one of FAILURES."""
        self.cells[self.layout.failures + FAILURES.index(reason)] += 1.0

    def decided(self, role: str, *, granted: bool) -> None:
        """Count a decision on a request that needed `role`, one of ROLES."""
        self.cells[self.layout.decisions + ROLES.index(role) * 2 + (0 if granted else 1)] += 1.0

    def reloaded(self, what: str, *, succeeded: bool) -> None:
        """Count a reload of one of RELOADS."""
        self.cells[self.layout.reloads + RELOADS.index(what) * 2 + (0 if succeeded else 1)] += 1.0


class Counters:
    """The totals of all processes, for the exposition. Series that never counted anything are left out."""

    def __init__(self, layout: Layout, board: Board) -> None:
        self.layout, self.board = layout, board

    def requests(self) -> Iterator[tuple[str, str, str, float]]:
        """Give (route, method, code, requests)."""
        cell = self.layout.requests
        for route in self.layout.routes:
            for method in METHODS:
                for code in CODE_LABELS:
                    if value := self.board.total(cell):
                        yield route, method, code, value
                    cell += 1

    def durations(self) -> Iterator[tuple[str, list[float], float]]:
        """Give (route, cumulative counts up to each of BUCKETS and at last all, sum in seconds)."""
        for route in self.layout.routes:
            start = self.layout.duration(route)
            total, counts = 0.0, []
            for cell in range(start, start + len(BUCKETS) + 1):
                total += self.board.total(cell)
                counts.append(total)
            if total:
                yield route, counts, self.board.total(start + len(BUCKETS) + 1)

    def connections(self) -> float:
        """Give the connections that are open."""
        return self.board.total(self.layout.connections)

    def connections_accepted(self) -> float:
        """Give the connections that were ever accepted."""
        return self.board.total(self.layout.connections + 1)

    def handshake_failures(self) -> Iterator[tuple[str, float]]:
        """Give (reason, failures), zeros too, so that a rate can be taken from the first one."""
        for index, reason in enumerate(FAILURES):
            yield reason, self.board.total(self.layout.failures + index)

    def decisions(self) -> Iterator[tuple[str, str, float]]:
        """Give (role, outcome, decisions), zeros too."""
        cell = self.layout.decisions
        for role in ROLES:
            for outcome in OUTCOMES:
                yield role, outcome, self.board.total(cell)
                cell += 1

    def reloads(self) -> Iterator[tuple[str, str, float]]:
        """Give (what, result, reloads), zeros too."""
        cell = self.layout.reloads
        for what in RELOADS:
            for result in ("success", "failure"):
                yield what, result, self.board.total(cell)
                cell += 1
