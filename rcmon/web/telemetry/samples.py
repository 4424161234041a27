"""The values of the service's own metric families, read from what all its processes share."""

from collections.abc import Iterable, Mapping

from rcmon.process.scoreboard import Scoreboard
from rcmon.web.about import PYTHON_VERSION, About, Trust
from rcmon.web.board import Board
from rcmon.web.telemetry.counters import Counters

Sample = tuple[tuple[str, ...], float | None]
"""Label values, in the order of the family's labels, and the value; None: not known, so no sample."""


class OwnSamples:
    """Reads all values but the histogram's."""

    def __init__(
        self, about: About, board: Board, counters: Counters, scoreboard: Scoreboard, trust: Trust
    ) -> None:
        self._about, self._board, self.counters = about, board, counters
        self._scoreboard, self._trust = scoreboard, trust

    def by_family(self) -> Mapping[str, Iterable[Sample]]:
        """Read them all now, by the name of the family."""
        return {**self._service(), **self._http(), **self._tls(), **self._processes()}

    def _service(self) -> dict[str, Iterable[Sample]]:
        held = self._board.current
        return {
            "rcmon_build_info": [((self._about.version, PYTHON_VERSION), 1)],
            "rcmon_start_time_seconds": [((), self._scoreboard.started)],
            "rcmon_snapshot_id": [((), held.number if held else None)],
            "rcmon_store_up": [((), int(self._board.trouble is None))],
            "rcmon_config_reloads_total": [
                ((what, result), count) for what, result, count in self.counters.reloads()
            ],
        }

    def _http(self) -> dict[str, Iterable[Sample]]:
        return {
            "rcmon_http_requests_total": [
                ((route, method, code), count) for route, method, code, count in self.counters.requests()
            ],
            "rcmon_http_connections": [((), self.counters.connections())],
            "rcmon_http_connections_accepted_total": [((), self.counters.connections_accepted())],
            "rcmon_authorization_decisions_total": [
                ((role, outcome), count) for role, outcome, count in self.counters.decisions()
            ],
        }

    def _tls(self) -> dict[str, Iterable[Sample]]:
        crls = [((crl.file, crl.issuer or ""), crl) for crl in self._trust.crls()]
        return {
            "rcmon_tls_handshake_failures_total": [
                ((reason,), count) for reason, count in self.counters.handshake_failures()
            ],
            "rcmon_tls_certificate_not_after_timestamp_seconds": [((), self._trust.certificate_not_after())],
            "rcmon_tls_crl_this_update_timestamp_seconds": [
                (crl, status.this_update) for crl, status in crls
            ],
            "rcmon_tls_crl_next_update_timestamp_seconds": [
                (crl, status.next_update) for crl, status in crls
            ],
        }

    def _processes(self) -> dict[str, Iterable[Sample]]:
        board = self._scoreboard
        slots = [((name,), board.slot(index)) for index, name in enumerate(self._about.processes)]
        return {
            "rcmon_process_up": [(name, int(slot.pid is not None)) for name, slot in slots],
            "rcmon_process_restarts_total": [(name, slot.restarts) for name, slot in slots],
            "rcmon_process_cpu_seconds_total": [((), board.cpu_seconds())],
            "rcmon_process_resident_memory_bytes": [((), board.resident_memory_bytes())],
            "rcmon_process_open_fds": [((), board.open_fds())],
        }
