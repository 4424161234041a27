"""The figures at the top of the page, each with its last day and a link to what it is made of."""

from collections.abc import Sequence

from msgspec import Struct

from rcmon.web.about import BASE
from rcmon.web.page.overview import GridTotals
from rcmon.web.page.trend import Curve, LastDay, curve


class Figure(Struct, frozen=True):
    """One figure."""

    title: str
    link: str
    """The table, sorted or filtered by it."""
    value: int | None
    of: int | None
    """Slots that it is compared with; None: there are none, or it is not compared."""
    curve: Curve


def figures(totals: GridTotals, day: LastDay) -> Sequence[Figure]:
    """Make the figures of jobs, and of the sites that all agents may use."""
    return [
        Figure(
            "Running jobs",
            f"{BASE}/?sort=-running_jobs#sites",
            totals.running.jobs,
            totals.running.slots,
            curve(day, "running"),
        ),
        Figure(
            "Pending jobs",
            f"{BASE}/?sort=-pending_jobs#sites",
            totals.pending.jobs,
            totals.pending.slots,
            curve(day, "pending"),
        ),
        Figure(
            "Normal in every agent",
            f"{BASE}/?state=Normal#sites",
            totals.by_state.get("Normal", 0) if totals.sites else None,
            None,
            curve(day, "normal"),
        ),
    ]
