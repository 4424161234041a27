"""What an agent's JobSubmitter is bound by that neither its database nor its report holds."""

from msgspec import Struct


class SubmitterSettings(Struct, frozen=True):
    """An agent's own configuration, as far as its JobSubmitter reads it; None: WMCore's default."""

    max_jobs_per_owner: int | None = None
    """`MAX_JOBS_PER_OWNER` of its schedd; None: not known, and nothing is concluded from it."""
    condor_jobs_fraction: float | None = None
    """`CondorJobsFraction`: the part of those that it may have executing."""
    condor_overflow_fraction: float | None = None
    """`CondorOverflowFraction`: by which part of the pending slots jobs of high priority exceed them."""
