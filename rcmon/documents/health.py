"""How agents do, as the status and the page tell it."""

from msgspec import Struct

from rcmon.model import Jobs


class DownComponent(Struct, frozen=True):
    """A component of an agent with a worker that is not well."""

    name: str
    problem: str
    """What is wrong with which of its workers."""
    since: float | None
    """Last heartbeat of that worker; None: not known."""


class AgentHealth(Struct, frozen=True):
    """How one agent did at its poll."""

    name: str
    polled_at: float
    stale: bool
    """Whether that poll was an earlier cycle's: how the agent does now is not known."""
    drain: bool | None
    components: int
    """Components of which any worker is known."""
    down: tuple[DownComponent, ...]
    sites: int
    jobs: Jobs

    @property
    def dead(self) -> bool:
        """Whether nothing of the agent works."""
        return 0 < self.components == len(self.down)

    @property
    def death(self) -> str:
        """Say for a person that nothing of it works."""
        one = self.components == 1
        return (
            "its only component does not work" if one else f"none of its {self.components} components works"
        )
