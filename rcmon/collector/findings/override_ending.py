"""The findings `override_ending` and `override_ending_soon`, and `override_end_doubtful`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning, Override
from rcmon.rules.overriding import is_over
from rcmon.timestamps import iso

HOUR = 3600.0
_ENDING, _SOON, _DOUBTFUL = "override_ending", "override_ending_soon", "override_end_doubtful"


def _within(name: str, seconds: float, grounds: Grounds) -> Iterator[Finding]:
    """List the overrides that end within a time, unless they were made to last no longer."""
    now = grounds.snapshot.believed
    for one in grounds.snapshot.overrides:
        if one.until is None or one.until - one.made <= seconds or not 0 < one.until - now <= seconds:
            continue
        yield _finding(
            name, one, f"ends at {iso(one.until)}: {_sets(one)}, set by {one.subject} ({one.reason})"
        )


def _doubtful(grounds: Grounds) -> Iterator[Finding]:
    """List the overrides that are over by a clock that was set forward lately, and hold on."""
    snapshot = grounds.snapshot
    for one in snapshot.overrides:
        if is_over(one, snapshot.started) and not is_over(one, snapshot.believed):
            by = snapshot.started - snapshot.believed
            text = (
                f"was to end at {iso(one.until)}, which is over by a clock that went {by:.0f} s forward"
                f" within the last hour; it holds until that hour is over: {_sets(one)}"
            )
            yield _finding(_DOUBTFUL, one, text)


def _finding(name: str, one: Override, text: str) -> Finding:
    return Finding(name, one.agent, f"the override {text}", site=one.site)


def _sets(one: Override) -> str:
    values = {"state": one.state, "running slots": one.running, "pending slots": one.pending}
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)


OVERRIDE_ENDING = FindingKind(
    _ENDING,
    Meaning("An override ends within 12 hours: extend it, or see what holds without.", "info", at_once=True),
    lambda grounds: _within(_ENDING, 12 * HOUR, grounds),
)
OVERRIDE_ENDING_SOON = FindingKind(
    _SOON,
    Meaning("An override ends within an hour.", "warning", at_once=True),
    lambda grounds: _within(_SOON, HOUR, grounds),
)
OVERRIDE_END_DOUBTFUL = FindingKind(
    _DOUBTFUL,
    Meaning(
        "An override is over by a clock that was just set forward: it holds for an hour.",
        "warning",
        at_once=True,
    ),
    _doubtful,
)
