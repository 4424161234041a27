"""Every metric that is read when it is asked for: one row each, with the function that reads it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from rcmon.access.authority.crl import CrlStatus
from rcmon.access.trust import Trust
from rcmon.files.follower import Follower
from rcmon.model.steering import MODES
from rcmon.process.scoreboard import Scoreboard
from rcmon.process.slot import Slot
from rcmon.steering import ControlSettings
from rcmon.telemetry.metric import Metric, counter, gauge, info
from rcmon.telemetry.own import OWN
from rcmon.web.about import PYTHON_VERSION, About
from rcmon.web.api.reasons import KINDS, LEVELS, Reason, level_of
from rcmon.web.api.status import store_trouble
from rcmon.web.board import Board
from rcmon.web.telemetry.totals import Sample

_FILE = dict.fromkeys(("file", "issuer"))
_PROCESS = dict.fromkeys(("process",))


class Seen(Struct, frozen=True):
    """What a worker can read."""

    about: About
    board: Board
    scoreboard: Scoreboard
    trust: Trust
    causes: Callable[[], Sequence[Reason]]
    """Finds why the service is not healthy."""
    control: Follower[ControlSettings]


class Told(Struct, frozen=True):
    """A metric and how to read its samples."""

    metric: Metric
    read: Callable[[Seen], Iterable[Sample]]


def _one(value: float | None) -> Iterable[Sample]:
    return [((), value)]


def _snapshot_id(seen: Seen) -> Iterable[Sample]:
    held = seen.board.current
    return _one(held.number if held else None)


def _crls(seen: Seen, value: Callable[[CrlStatus], float | None]) -> Iterator[Sample]:
    for crl in seen.trust.crls():
        yield (crl.file, crl.issuer or ""), value(crl)


def _slots(seen: Seen, value: Callable[[Slot], float | None]) -> Iterator[Sample]:
    for index, name in enumerate(seen.about.processes):
        yield (name,), value(seen.scoreboard.slot(index))


def _status(seen: Seen) -> Iterator[Sample]:
    status = level_of(seen.causes())
    for level in LEVELS:
        yield (level,), int(level == status)


def _reasons(seen: Seen) -> Iterator[Sample]:
    counts = Counter(cause.name for cause in seen.causes())
    for kind in KINDS.values():
        yield (kind.name, kind.level), counts[kind.name]


def _troubles(seen: Seen) -> Iterator[Sample]:
    for trouble in seen.scoreboard.troubles():
        yield (trouble.process, trouble.what), 1


def _modes(seen: Seen) -> Iterator[Sample]:
    held, settings = seen.board.current, seen.control.value
    for agent in sorted({*settings.agents, *(held.facts.agents if held else ())}):
        for mode in MODES:
            yield (agent, mode), int(settings.mode_of(agent) == mode)


TOLD: tuple[Told, ...] = (
    Told(
        info(
            "rcmon_build_info",
            "Versions of rcmon and of the Python it runs.",
            "version",
            "python_version",
        ),
        lambda seen: [((seen.about.version, PYTHON_VERSION), 1)],
    ),
    Told(
        gauge("rcmon_start_time_seconds", "When the service began, in seconds since the epoch."),
        lambda seen: _one(seen.scoreboard.started),
    ),
    Told(
        gauge("rcmon_snapshot_id", "Number of the snapshot that is served; it grows by every cycle."),
        _snapshot_id,
    ),
    Told(
        gauge("rcmon_store_up", "Whether the store can be read here and written by the collector."),
        lambda seen: _one(int(store_trouble(seen.board, seen.scoreboard.troubles()) is None)),
    ),
    Told(
        gauge(
            "rcmon_status",
            "Whether the service is in this status: 1 for the one it is in, 0 for the others.",
            dict.fromkeys(("status",)),
        ),
        _status,
    ),
    Told(
        gauge(
            "rcmon_status_reasons",
            "How many reasons of this kind the service has not to be healthy.",
            dict.fromkeys(("reason", "level")),
        ),
        _reasons,
    ),
    Told(
        gauge(
            "rcmon_trouble",
            "Whether the process says that something is wrong with it: 1 while it lasts, else no sample.",
            dict.fromkeys(("process", "what")),
        ),
        _troubles,
    ),
    Told(
        gauge(
            "rcmon_control_mode",
            "Whether the agent is steered so far: 1 for the mode it is in, 0 for the others.",
            dict.fromkeys(("agent", "mode")),
        ),
        _modes,
    ),
    Told(
        gauge(
            "rcmon_tls_certificate_not_after_timestamp_seconds",
            "Until when the server's certificate is valid, in seconds since the epoch.",
        ),
        lambda seen: _one(seen.trust.certificate_not_after()),
    ),
    Told(
        gauge(
            "rcmon_tls_crl_this_update_timestamp_seconds",
            "When the certificate revocation list was issued, in seconds since the epoch.",
            _FILE,
        ),
        lambda seen: _crls(seen, lambda crl: crl.this_update),
    ),
    Told(
        gauge(
            "rcmon_tls_crl_next_update_timestamp_seconds",
            "When the next certificate revocation list is due, in seconds since the epoch.",
            _FILE,
        ),
        lambda seen: _crls(seen, lambda crl: crl.next_update),
    ),
    Told(
        gauge("rcmon_process_up", "Whether the process of the service is running.", _PROCESS),
        lambda seen: _slots(seen, lambda slot: int(slot.pid is not None)),
    ),
    Told(
        gauge(
            "rcmon_process_loop_lag_seconds",
            "By how much the process's loop was late in the last seconds, at most; of a live process.",
            _PROCESS,
        ),
        lambda seen: _slots(seen, lambda slot: slot.loop_lag),
    ),
    Told(
        counter(
            "rcmon_process_restarts_total",
            "Times that the process was started in place of a dead one.",
            _PROCESS,
        ),
        lambda seen: _slots(seen, lambda slot: slot.restarts),
    ),
    Told(
        counter(
            "rcmon_process_cpu_seconds_total",
            "User and system time of all processes of the service, dead ones included.",
        ),
        lambda seen: _one(seen.scoreboard.cpu_seconds()),
    ),
    Told(
        gauge(
            "rcmon_process_resident_memory_bytes",
            "Resident memory of all processes of the service; what they share is counted in each.",
        ),
        lambda seen: _one(seen.scoreboard.resident_memory_bytes()),
    ),
    Told(
        gauge("rcmon_process_open_fds", "Open file descriptors of all processes of the service."),
        lambda seen: _one(seen.scoreboard.open_fds()),
    ),
)

PROCESS: tuple[Told, ...] = (
    Told(
        counter(
            "process_cpu_seconds_total",
            "User and system time of the process of the service, with those that it replaced.",
            _PROCESS,
        ),
        lambda seen: _slots(seen, lambda slot: slot.cpu_seconds),
    ),
    Told(
        gauge("process_resident_memory_bytes", "Resident memory of the process.", _PROCESS),
        lambda seen: _slots(seen, lambda slot: slot.resident_memory_bytes),
    ),
    Told(
        gauge("process_virtual_memory_bytes", "Virtual memory of the process.", _PROCESS),
        lambda seen: _slots(seen, lambda slot: slot.virtual_memory_bytes),
    ),
    Told(
        gauge("process_open_fds", "Open file descriptors of the process.", _PROCESS),
        lambda seen: _slots(seen, lambda slot: slot.open_fds),
    ),
    Told(
        gauge("process_max_fds", "File descriptors that the process may have open.", _PROCESS),
        lambda seen: _slots(seen, lambda slot: slot.max_fds),
    ),
    Told(
        gauge("process_start_time_seconds", "When the process began, in seconds since the epoch.", _PROCESS),
        lambda seen: _slots(seen, lambda slot: slot.started),
    ),
)
"""What exporters tell of their process, of every process of this one."""

OWN_COLLECTORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "service": (*(told.metric.name for told in TOLD), *(metric.name for metric in OWN)),
        "process": tuple(told.metric.name for told in PROCESS),
    }
)
"""Names of the service's own families by what they are asked for together as."""

FAMILIES: tuple[Metric, ...] = (
    *(told.metric for told in TOLD),
    *OWN,
    *(told.metric for told in PROCESS),
)
"""The service's own metric families, as they are written; those of the snapshot are the collector's."""
