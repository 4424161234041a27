"""The families of the cycle itself: its sources, its times, its findings."""

from collections.abc import Iterator

from rcmon.exposition.lines import Sample, label
from rcmon.render.families.family import Family, gauge
from rcmon.render.families.view import View

_SOURCE = ("source", "kind")


def _quarantined(view: View) -> Iterator[Sample]:
    for one in view.snapshot.steered.quarantines:
        yield label("cause", one.cause), len(one.proposals)


CYCLE_FAMILIES = (
    gauge(
        "rcmon_source_up",
        _SOURCE,
        "Whether the newest poll of the source that ended succeeded.",
        lambda view: ((labels, int(source.up)) for labels, source in view.sources.items()),
    ),
    gauge(
        "rcmon_source_stale",
        _SOURCE,
        "Whether the data of the source did not come in the last cycle.",
        lambda view: ((labels, int(source.stale)) for labels, source in view.sources.items()),
    ),
    gauge(
        "rcmon_source_last_success_timestamp_seconds",
        _SOURCE,
        "When the last successful poll of the source began, in seconds since the epoch.",
        lambda view: ((labels, source.last_success) for labels, source in view.sources.items()),
    ),
    gauge(
        "rcmon_source_poll_duration_seconds",
        _SOURCE,
        "Time that the newest poll of the source took, failed or not.",
        lambda view: ((labels, source.duration) for labels, source in view.sources.items()),
    ),
    gauge(
        "rcmon_source_polling_since_timestamp_seconds",
        _SOURCE,
        "When the poll of the source began that had not ended with the last cycle; else there is none.",
        lambda view: ((labels, source.polling_since) for labels, source in view.sources.items()),
    ),
    Family(
        "rcmon_source_errors_total",
        "counter",
        _SOURCE,
        "Polls of the source that failed, since the store was made.",
        lambda view: ((labels, source.errors_total) for labels, source in view.sources.items()),
    ),
    gauge(
        "rcmon_quarantined_sites",
        ("cause",),
        "Sites of which upstream says what is not let pass, by cause; else there is none.",
        _quarantined,
    ),
    gauge(
        "rcmon_cycle_start_timestamp_seconds",
        (),
        "When the last cycle began, in seconds since the epoch.",
        lambda view: (("", view.snapshot.started),),
    ),
    gauge(
        "rcmon_cycle_duration_seconds",
        (),
        "Time that the polls and the merge of the last cycle took.",
        lambda view: (("", view.snapshot.duration),),
    ),
    gauge(
        "rcmon_cycle_interval_seconds",
        (),
        "Configured distance of cycle starts.",
        lambda view: (("", view.snapshot.interval),),
    ),
    gauge(
        "rcmon_findings",
        ("agent", "kind", "severity"),
        "Rows, jobs or sites with this kind of finding; without agent: over all agents.",
        lambda view: view.issues.items(),
    ),
)
