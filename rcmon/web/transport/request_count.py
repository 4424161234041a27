"""Counting requests: the one place where counting must cost next to nothing."""

from bisect import bisect_left

from rcmon.telemetry.own import BUCKETS, CODES, DECISIONS, DURATIONS, METHODS, REQUESTS
from rcmon.telemetry.tally import Tally

_CODES = {code: str(code) for code in CODES}
Authorized = tuple[str, str]
"""The role that was needed and the outcome of the check: granted or denied."""


class RequestCount:
    """Counts answered requests, how long they took and what the role check said.

    Cells are looked up once for each kind of request.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._found: dict[tuple[str, str, int, Authorized | None], tuple[int, int, int | None]] = {}

    def answered(
        self, route: str, method: str, status: int, seconds: float, authorized: Authorized | None = None
    ) -> None:
        """Count a request; an unknown route or method is `other`, an unknown status its class."""
        key = route, method, status, authorized
        request, duration, decision = self._found.get(key) or self._find(*key)
        cells = self._tally.cells
        cells[request] += 1.0
        cells[duration + bisect_left(BUCKETS, seconds)] += 1.0
        cells[duration + len(BUCKETS) + 1] += seconds
        if decision is not None:
            cells[decision] += 1.0

    def _find(
        self, route: str, method: str, status: int, authorized: Authorized | None
    ) -> tuple[int, int, int | None]:
        layout = self._tally.layout
        code = _CODES.get(status) or f"{min(max(status // 100, 1), 5)}xx"
        request, duration = layout.cell(REQUESTS, (route, method, code)), layout.cell(DURATIONS, (route,))
        found = request, duration, layout.cell(DECISIONS, authorized) if authorized else None
        if method in METHODS:  # a client's invention would make the memo grow
            self._found[(route, method, status, authorized)] = found
        return found
