"""The families of what should be.

Task types have none: what is expected of them follows from their site, and a sample for each agent, site and
task type would be a third more series. What differs there is counted in `rcmon_drift`.
"""

from collections import Counter
from collections.abc import Iterator

from rcmon.exposition.lines import Sample, label
from rcmon.model import DRIFT_REASONS, Forecast, SiteExpected
from rcmon.render.families.family import Family, gauge
from rcmon.render.families.view import View

_SITE = ("agent", "site")


def _expected(view: View) -> Iterator[tuple[str, SiteExpected]]:
    """Give what is expected of each site, with its labels."""
    if view.expected is not None:
        for (labels, _, _), site in zip(view.sites, view.places, strict=True):
            if (want := view.expected.sites.get(site)) is not None:
                yield labels, want


def _drift(view: View) -> Iterator[Sample]:
    if view.expected is None:
        return
    counts = Counter[str]()
    for drift in view.drift:
        counts[drift.reason] += len(drift.cells)
    for reason in DRIFT_REASONS:
        yield f"{view.labels},{label('reason', reason)}", counts[reason]


def _forecasts(view: View) -> Iterator[tuple[str, Forecast]]:
    if view.forecast is not None:
        yield view.labels, view.forecast


DRIFT_FAMILIES = (
    gauge(
        "rcmon_site_expected_running_slots",
        _SITE,
        "Running slots that the agent's updater gives the site, as far as that is known.",
        lambda view: ((labels, want.running_slots) for labels, want in _expected(view)),
    ),
    gauge(
        "rcmon_site_expected_pending_slots",
        _SITE,
        "Pending slots that the agent's updater gives the site, as far as that is known.",
        lambda view: ((labels, want.pending_slots) for labels, want in _expected(view)),
    ),
    gauge(
        "rcmon_drift",
        ("agent", "reason"),
        "States and thresholds that are others than is expected, by reason.",
        _drift,
    ),
    Family(
        "rcmon_forecast_hits_total",
        "counter",
        ("agent",),
        "Writes of the agent's updater that were as forecast, since the store was made.",
        lambda view: ((labels, forecast.hits) for labels, forecast in _forecasts(view)),
    ),
    Family(
        "rcmon_forecast_misses_total",
        "counter",
        ("agent",),
        "Writes of the agent's updater that were others than forecast, since the store was made.",
        lambda view: ((labels, forecast.misses) for labels, forecast in _forecasts(view)),
    ),
)
