"""Values that only an agent's database has."""

from typing import Any

from rcmon.sources.plausible import plausible, text, whole
from rcmon.sources.wmagent.columns import COLUMNS

_PRIORITY = COLUMNS["wmbs_workflow.priority"]


def priority_of(value: Any) -> int | None:
    """Read a workflow's priority without a word: what is odd is noted where all jobs are counted."""
    return plausible(_PRIORITY, value, 0)


def numbers(value: Any) -> tuple[int, ...]:
    """Read a set that SQL has written with commas; what is no number in it points nowhere."""
    found = map(whole, (text(value) or "").split(","))
    return tuple(number for number in found if number is not None)
