"""The service's own metric families; those of the snapshot are the collector's."""

from typing import Literal

from msgspec import Struct

Kind = Literal["counter", "gauge", "histogram", "info"]


class Family(Struct, frozen=True):
    """One metric family; `kind` is its OpenMetrics type (info is a gauge in text 0.0.4)."""

    name: str
    """As its samples are named: with `_total` or `_info`."""
    kind: Kind
    labels: tuple[str, ...]
    help: str

    @property
    def unit(self) -> str:
        """As OpenMetrics declares it: what the name ends with."""
        ending = self.name.removesuffix("_total").rpartition("_")[2]
        return ending if ending in ("seconds", "bytes") else ""


FAMILIES: tuple[Family, ...] = (
    Family(
        "rcmon_build_info",
        "info",
        ("version", "python_version"),
        "Versions of rcmon and of the Python it runs.",
    ),
    Family("rcmon_start_time_seconds", "gauge", (), "When the service began, in seconds since the epoch."),
    Family(
        "rcmon_snapshot_id", "gauge", (), "Number of the snapshot that is served; it grows by every cycle."
    ),
    Family("rcmon_store_up", "gauge", (), "Whether the store could be read just now."),
    Family("rcmon_http_requests_total", "counter", ("route", "method", "code"), "Requests answered."),
    Family(
        "rcmon_http_request_duration_seconds",
        "histogram",
        ("route",),
        "Time from a request's head to its answer.",
    ),
    Family("rcmon_http_connections", "gauge", (), "Connections that are open."),
    Family("rcmon_http_connections_accepted_total", "counter", (), "Connections that were accepted."),
    Family(
        "rcmon_tls_handshake_failures_total",
        "counter",
        ("reason",),
        "Connections that TLS or the check of the certificate refused.",
    ),
    Family(
        "rcmon_authorization_decisions_total",
        "counter",
        ("role", "outcome"),
        "Role checks by the role that was needed.",
    ),
    Family(
        "rcmon_config_reloads_total",
        "counter",
        ("what", "result"),
        "Times that files were read again while running; after a failure the earlier content stays.",
    ),
    Family(
        "rcmon_tls_certificate_not_after_timestamp_seconds",
        "gauge",
        (),
        "Until when the server's certificate is valid, in seconds since the epoch.",
    ),
    Family(
        "rcmon_tls_crl_this_update_timestamp_seconds",
        "gauge",
        ("file", "issuer"),
        "When the certificate revocation list was issued, in seconds since the epoch.",
    ),
    Family(
        "rcmon_tls_crl_next_update_timestamp_seconds",
        "gauge",
        ("file", "issuer"),
        "When the next certificate revocation list is due, in seconds since the epoch.",
    ),
    Family("rcmon_process_up", "gauge", ("process",), "Whether the process of the service is running."),
    Family(
        "rcmon_process_restarts_total",
        "counter",
        ("process",),
        "Times that the process was started in place of a dead one.",
    ),
    Family(
        "rcmon_process_cpu_seconds_total",
        "counter",
        (),
        "User and system time of all processes of the service, dead ones included.",
    ),
    Family(
        "rcmon_process_resident_memory_bytes",
        "gauge",
        (),
        "Resident memory of all processes of the service; what they share is counted in each.",
    ),
    Family("rcmon_process_open_fds", "gauge", (), "Open file descriptors of all processes of the service."),
)
