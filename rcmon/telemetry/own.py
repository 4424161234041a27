"""Every metric that processes count in cells: one row each. What is read at the scrape is the web side's.

Labels come from fixed sets, so that no client can make a series. A new metric is one row here, and
`tally.count`, `set`, `change` or `observe` with it where it happens; cells, exposition and the
documentation's table follow.
"""

from rcmon.access.identity import REFUSALS
from rcmon.access.roles import Role
from rcmon.telemetry.metric import Metric, counter, gauge, histogram

OTHER = "other"
"""Among a label's values: whatever is none of the others."""
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", OTHER)
CODES = (200, 204, 206, 304, 400, 403, 404, 405, 406, 408, 413, 414, 415, 421, 429, 431, 500, 501, 503)
"""Status codes that are counted by themselves; any other counts as its class, such as `4xx`."""
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
    OTHER,
)
FAILURES = tuple(dict.fromkeys((*HANDSHAKE_FAILURES, *REFUSALS)))
"""Why a connection did not come to be (TLS), or proves nobody (the rules about identities)."""
REQUEST_REFUSALS = (
    "line_end",
    "target",
    "method",
    "field_name",
    "length",
    "framing",
    "host",
    "foreign_host",
    "malformed",
    "head_size",
    "late_body",
    "rate",
)
"""Why a request was answered without any handler; `method` also where a handler does not take it."""
FOLLOWED = ("tls", "roles", "authorities", "signing_policy", "crl", "voms", "sources", "control")
"""The kinds of files that are taken up while the service runs."""
CHANGES = ("site", "state", "slots", "threshold", "agent", "source")
"""Kinds of entries of the journal that two snapshots differ in: `rcmon.model.journal.OF_CYCLES`."""

REQUESTS = counter(
    "rcmon_http_requests_total",
    "Requests answered.",
    {"route": None, "method": METHODS, "code": (*map(str, CODES), "1xx", "2xx", "3xx", "4xx", "5xx")},
    sparse=True,
)
DURATIONS = histogram(
    "rcmon_http_request_duration_seconds",
    "Time from a request's head to its answer, of a stream to its begin.",
    BUCKETS,
    {"route": None},
)
REQUESTS_REFUSED = counter(
    "rcmon_http_requests_refused_total",
    "Requests that no handler answered, by what was wrong with them.",
    {"reason": REQUEST_REFUSALS},
)
SHORT_WAY_FALLBACKS = counter(
    "rcmon_short_way_fallbacks_total",
    "Requests for ready bytes that took the long way: problem (an error answer), unready, error (a bug).",
    {"route": None, "reason": ("problem", "unready", "error")},
    sparse=True,
)
CONNECTIONS = gauge("rcmon_http_connections", "Connections that are open.")
CONNECTIONS_ACCEPTED = counter("rcmon_http_connections_accepted_total", "Connections that were accepted.")
HANDSHAKES_FAILED = counter(
    "rcmon_tls_handshake_failures_total",
    "Connections that TLS or the check of the certificate refused.",
    {"reason": FAILURES},
)
CONNECTIONS_REFUSED = counter(
    "rcmon_http_connections_refused_total",
    "Connections closed since too many were open, or shook hands: in total, of that address or identity.",
    {"reason": ("total", "address", "identity", "handshakes", "handshakes_of_address")},
)
HANDSHAKES = gauge("rcmon_tls_handshakes", "Handshakes that are under way.")
BODIES_HELD = gauge("rcmon_http_bodies_held_bytes", "Bytes of bodies under way, as their heads promise.")
BODIES_REFUSED = counter(
    "rcmon_http_bodies_refused_total",
    "Bodies of requests that were refused unread, or as soon as they became too large.",
    {"reason": ("not_taken", "too_large", "identity", "total")},
)
STREAMS = gauge("rcmon_event_streams", "Streams of events that are open.")
STREAMS_REFUSED = counter(
    "rcmon_event_streams_refused_total",
    "Streams that were refused since too many were open: of that identity, or in total.",
    {"reason": ("identity", "total")},
)
STREAMS_ENDED = counter(
    "rcmon_event_streams_ended_total",
    "Streams that ended: client (it left), slow (it did not take what was sent), access (it may not read any"
    " more), stop (the process ended), error (a bug).",
    {"reason": ("client", "slow", "access", "stop", "error")},
)
DECISIONS = counter(
    "rcmon_authorization_decisions_total",
    "Role checks by the role that was needed.",
    {"role": (*(role.value for role in Role), "any"), "outcome": ("granted", "denied")},
)
RELOADS = counter(
    "rcmon_config_reloads_total",
    "Times that files were read again while running; after a failure the earlier content stays.",
    {"what": FOLLOWED, "result": ("success", "failure")},
)
RELOAD_SUCCEEDED = gauge(
    "rcmon_config_last_reload_successful",
    "Whether the newest content of the files is in use in every process; else the earlier one is.",
    {"what": FOLLOWED},
    gather="least",
)
RELOAD_SUCCESS_TIME = gauge(
    "rcmon_config_last_reload_success_timestamp_seconds",
    "When the files were last taken up, in seconds since the epoch.",
    {"what": FOLLOWED},
    gather="most",
)
SSB_QUESTIONS = counter(
    "rcmon_ssb_questions_total",
    "Questions of unmodified agents for sites' states and slots: answered; off (mode is not control); doubt"
    " (answered 503, so that the agent changes nothing); refused (not a question that is known).",
    {"outcome": ("answered", "off", "doubt", "refused")},
)

STORES_MENDED = counter(
    "rcmon_store_mended_total",
    "Times that the store was found damaged while running, and was set aside or made again.",
)
JOURNAL_ENTRIES = counter(
    "rcmon_journal_entries_total",
    "Changes that cycles saw and the journal has, by kind; what people change is not among them.",
    {"kind": CHANGES},
)

POLLS_FOR_OTHERS = counter(
    "rcmon_polls_for_others_total",
    "Polls that this replica did for the one that collects, where several share a store.",
    {"result": ("success", "failure")},
)

OWN: tuple[Metric, ...] = tuple(row for row in list(globals().values()) if isinstance(row, Metric))
"""All rows above, in their order."""
