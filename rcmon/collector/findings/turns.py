"""When sites changed their state: a small record, from which flapping is found. Pure."""

from collections.abc import Mapping

from rcmon.model import Snapshot

DAY = 86400.0
MOST = 50
"""Changes of one site in one agent that are kept."""

Turns = Mapping[str, Mapping[str, tuple[float, ...]]]


def turns(previous: Snapshot | None, snapshot: Snapshot) -> Turns:
    """Take the record on by one cycle: changes of the last day, of sites that are there."""
    if previous is None:
        return {}
    made: dict[str, dict[str, tuple[float, ...]]] = {}
    now = snapshot.started
    for name, agent in snapshot.agents.items():
        before = previous.agents.get(name)
        known = previous.turns.get(name, {})
        for site, seen in agent.sites.items():
            times = tuple(time for time in known.get(site, ()) if now - DAY <= time <= now)
            earlier = before.sites.get(site) if before else None
            if (
                earlier is not None
                and None not in (earlier.state, seen.state)
                and earlier.state != seen.state
            ):
                times = (*times, now)[-MOST:]
            if times:
                made.setdefault(name, {})[site] = times
    return made
