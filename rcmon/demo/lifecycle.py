"""The life of a job in an agent: which phase follows which, how often, and how long each lasts.

A phase is a job state (`wmbs_job_state`) and, while the job is executing, the batch status of its active
`bl_runjob` row. Successions keep to WMCore's JobStateMachine.Transitions; durations are shortened so that
somebody who watches for minutes sees jobs come and go.
"""

from msgspec import Struct

EXECUTING = "executing"


class Phase(Struct, frozen=True):
    """One phase: `seconds` is its mean duration, `next` what may follow, with weights."""

    state: str
    status: str | None
    seconds: float
    next: tuple[tuple[str, float], ...]


def _states(*rows: tuple[str, float, tuple[tuple[str, float], ...]]) -> dict[str, Phase]:
    """Tabulate the phases outside the batch system, each named after its job state."""
    return {state: Phase(state, None, seconds, following) for state, seconds, following in rows}


def _statuses(*rows: tuple[str, float, tuple[tuple[str, float], ...]]) -> dict[str, Phase]:
    """Tabulate the phases inside the batch system, each named after its batch status."""
    return {status: Phase(EXECUTING, status, seconds, following) for status, seconds, following in rows}


SUBMIT = "New"
"""The phase that a created job enters when a site takes it."""
START = "Running"
"""The phase that an idle or held job enters when the site has room."""
GONE = "gone"
"""Not a phase: the job's rows are deleted."""

PHASES: dict[str, Phase] = {
    **_states(
        ("new", 15, (("created", 0.97), ("createfailed", 0.03))),
        ("createfailed", 25, (("createcooloff", 0.9), ("retrydone", 0.1))),
        ("createcooloff", 60, (("created", 0.7), ("createpaused", 0.3))),
        ("createpaused", 300, (("created", 1.0),)),
        ("created", 30, ((SUBMIT, 0.975), ("submitfailed", 0.025))),
        ("submitfailed", 25, (("submitcooloff", 0.9), ("retrydone", 0.1))),
        ("submitcooloff", 60, (("created", 0.7), ("submitpaused", 0.3))),
        ("submitpaused", 300, (("created", 1.0),)),
        ("complete", 20, (("success", 0.93), ("jobfailed", 0.07))),
        ("success", 120, (("cleanout", 1.0),)),
        ("jobfailed", 25, (("jobcooloff", 0.85), ("retrydone", 0.15))),
        ("jobcooloff", 90, (("created", 0.85), ("jobpaused", 0.15))),
        ("jobpaused", 300, (("created", 0.8), ("retrydone", 0.2))),
        ("retrydone", 60, (("exhausted", 1.0),)),
        ("exhausted", 200, (("cleanout", 1.0),)),
        ("killed", 120, (("cleanout", 1.0),)),
        ("cleanout", 60, ((GONE, 1.0),)),
    ),
    **_statuses(
        (SUBMIT, 6, (("Idle", 0.99), ("Unknown", 0.01))),
        ("Unknown", 20, (("Idle", 1.0),)),
        ("Idle", 40, ((START, 0.993), ("Timeout", 0.005), ("Held", 0.002))),
        (
            START,
            600,
            (
                ("TransferOutput", 0.75),
                ("Transferring", 0.1),
                ("Completed", 0.11),
                ("Held", 0.02),
                ("Removed", 0.01),
                ("Suspended", 0.01),
            ),
        ),
        ("TransferOutput", 20, (("Completed", 1.0),)),
        ("Transferring", 20, (("Completed", 1.0),)),
        ("Held", 150, ((START, 0.6), ("Removed", 0.4))),
        ("Suspended", 60, ((START, 1.0),)),
        ("Removed", 12, (("jobfailed", 1.0),)),
        ("Timeout", 12, (("jobfailed", 1.0),)),
        ("Completed", 15, (("complete", 1.0),)),
    ),
}
"""Every phase by name."""

PENDING = frozenset({"New", "Idle"})
"""Phases that count as pending at the job's site (SimpleCondorPlugin's stateMap)."""
RUNNING = frozenset({"Running", "TransferOutput"})
"""Phases that count as running there."""
ABORTABLE = frozenset({"new", "created", "jobcooloff", "jobpaused", *PENDING, "Running"})
"""Phases from which an aborted workflow takes its jobs to killed."""

RUN_FACTORS = {
    "Merge": 0.4,
    "Cleanup": 0.2,
    "LogCollect": 0.3,
    "Harvesting": 0.6,
    "Skim": 0.8,
    "Production": 1.3,
}
"""How long jobs of a task type run against the phase's mean; Processing as long as that."""


UNFINISHED = frozenset(PHASES) - {"complete", "success", "exhausted", "retrydone", "killed", "cleanout"}
"""Phases of jobs that still want to run."""


def retried(before: str, after: str) -> bool:
    """Tell whether a succession is a retry of a job that had reached the batch system."""
    return after == "created" and before in ("jobcooloff", "jobpaused")
