"""Counting requests: the one place where counting must cost next to nothing."""

from rcmon.telemetry.own import CODES, DURATIONS, METHODS, REQUESTS
from rcmon.telemetry.tally import Tally

_CODES = {code: str(code) for code in CODES}


class RequestCount:
    """Counts answered requests and how long they took; cells are looked up once for each kind of request."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._cells: dict[tuple[str, str, int], tuple[int, int]] = {}

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request; an unknown route or method is `other`, an unknown status its class."""
        found = self._cells.get((route, method, status)) or self._find(route, method, status)
        self._tally.cells[found[0]] += 1.0
        self._tally.observe_at(DURATIONS, found[1], seconds)

    def _find(self, route: str, method: str, status: int) -> tuple[int, int]:
        layout = self._tally.layout
        code = _CODES.get(status) or f"{min(max(status // 100, 1), 5)}xx"
        cells = layout.cell(REQUESTS, (route, method, code)), layout.cell(DURATIONS, (route,))
        if method in METHODS:  # a client's invention would make the memo grow
            self._cells[(route, method, status)] = cells
        return cells
