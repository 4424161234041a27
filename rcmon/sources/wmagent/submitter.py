"""What the sources file says of an agent's limits of submission, which its database does not hold."""

from typing import Annotated

from msgspec import Meta, Struct

from rcmon.model import SubmitterSettings

Fraction = Annotated[float, Meta(ge=0, le=10, description="must be a fraction, from 0 to 10")]
Count = Annotated[
    int, Meta(ge=1, le=100_000_000, description="must be a number of jobs, from 1 to 100000000")
]


class SubmitterTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`[source.submitter]`: what JobSubmitter asks its schedd, and ReqMgr2's auxiliary database."""

    max_jobs_per_owner: Count | None = None
    """As `condor_config_val MAX_JOBS_PER_OWNER` says on the agent's node."""
    condor_jobs_fraction: Fraction | None = None
    condor_overflow_fraction: Fraction | None = None

    def settings(self) -> SubmitterSettings:
        """Give the settings as the rules take them."""
        return SubmitterSettings(**{name: getattr(self, name) for name in self.__struct_fields__})
