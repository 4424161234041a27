"""The families of verdicts: what is not submitted where, and what work is let in."""

from collections.abc import Iterator

from rcmon.exposition.lines import Sample, label
from rcmon.render.families.family import gauge
from rcmon.render.families.view import View


def _blocked(view: View) -> Iterator[Sample]:
    """Give what is not submitted; a task type that is not meant for a site, and has no jobs there, is not."""
    tasks: dict[str, str] = {}
    for labels, place in view.places_labelled():
        for cell in place.cells:
            if cell.submits or cell.reason is None:
                continue
            jobs = cell.pending or cell.running
            if cell.reason == "threshold_missing" and not jobs:
                continue
            if cell.task not in tasks:
                tasks[cell.task] = label("task", cell.task)
            yield f"{labels},{tasks[cell.task]},{label('reason', cell.reason)}", 1


def _floors(view: View) -> Iterator[Sample]:
    for labels, place in view.places_labelled():
        for admission in place.admission:
            if admission.floor is not None:
                yield f"{labels},{label('stage', admission.stage)}", admission.floor


WHY_FAMILIES = (
    gauge(
        "rcmon_task_blocked",
        ("agent", "site", "task", "reason"),
        "Why no job of the task type is submitted at the site, or that is not known: 1 for the reason."
        " A task type without a threshold and jobs there has none.",
        _blocked,
    ),
    gauge(
        "rcmon_site_admission_floor",
        ("agent", "site", "stage"),
        "Workflow priority that is not let in for the site, with all below it; where there is one.",
        _floors,
    ),
)
