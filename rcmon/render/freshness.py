"""How old the data of an agent is."""

from rcmon.model import Agent, Snapshot, SourceState


def source_of(agent: str, snapshot: Snapshot) -> SourceState | None:
    """Return the source that the agent's data is from: the first that claims it, else one of its name."""
    claims = (source for source in snapshot.sources if agent in source.agents)
    named = (source for source in snapshot.sources if source.name == agent)
    return next(claims, None) or next(named, None)


def is_stale(agent: Agent, snapshot: Snapshot) -> bool:
    """Whether the agent's data is that of an earlier poll, as its source says.

    Where no source is known for it: whether it is older than one interval before the cycle.
    """
    source = source_of(agent.name, snapshot)
    if source is not None:
        return source.stale
    return agent.polled_at < snapshot.started - snapshot.interval
