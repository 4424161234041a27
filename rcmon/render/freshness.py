"""How old the data of an agent is."""

from rcmon.model import Agent, Snapshot, SourceState


def source_of(agent: str, snapshot: Snapshot) -> SourceState | None:
    """Return the source that bears the agent's name, as a source that polls an agent's database does."""
    return next((source for source in snapshot.sources if source.name == agent), None)


def is_stale(agent: Agent, snapshot: Snapshot) -> bool:
    """Whether the agent's data is that of an earlier poll.

    Where its source has another name: whether it is older than one interval before the cycle.
    """
    source = source_of(agent.name, snapshot)
    if source is not None:
        return source.stale
    return agent.polled_at < snapshot.started - snapshot.interval
