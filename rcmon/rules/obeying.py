"""Whether agents that are to obey do: whether they ask, and what their databases show. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import structs

from rcmon.model import Snapshot
from rcmon.model.freshness import AHEAD
from rcmon.model.steering import AgentControl, Disobeyed, LastAsked, SiteControl
from rcmon.rules.thresholds import PERIOD

SILENT_AFTER = 2 * PERIOD
"""Seconds without a question after which something is wrong: an agent asks every 900."""
WRITTEN = 300.0
"""Seconds in which an agent has written what it was told."""


def silent(
    obeying: Collection[str], asked: Sequence[LastAsked], now: float, set_lately: float = 0.0
) -> dict[str, float | None]:
    """Tell which agents that are to obey have not asked for long, and when they last did by this clock.

    None: that is not known, since it is told by a clock that is ahead of this one. `set_lately`: by how many
    seconds this one was set of late, so that what was asked before that is told by the clock before.
    One that never asked is not among them before it has: it may not be connected yet.
    """
    clocks = (now, now - set_lately)
    found = {}
    for one in asked:
        age = min((clock - one.time for clock in clocks if one.time <= clock + AHEAD), default=None)
        if one.agent in obeying and (age is None or age > SILENT_AFTER):
            found[one.agent] = None if age is None else now - age
    return found


def disobeyed(
    agents: Mapping[str, AgentControl],
    obeying: Collection[str],
    asked: Sequence[LastAsked],
    snapshot: Snapshot,
) -> Iterator[Disobeyed]:
    """Tell which values agents' databases show otherwise than they were served, after two of their cycles."""
    for one in asked:
        control, agent = agents.get(one.agent), snapshot.agents.get(one.agent)
        if one.agent not in obeying or control is None or agent is None or control.problem is not None:
            continue
        for site in control.sites:
            held = agent.sites.get(site.site)
            if held is None or not _had_time(one, agent.polled_at, site.since):
                continue
            values = [
                ("state", site.state, held.state),
                ("running_slots", site.running_slots, held.running_slots),
                ("pending_slots", site.pending_slots, held.pending_slots),
            ]
            for what, served, actual in values:
                if served is not None and actual != served:
                    yield Disobeyed(one.agent, site.site, what, served, actual)


def _had_time(asked: LastAsked, polled_at: float, since: float) -> bool:
    """Tell whether an agent got what holds since a time in two cycles, and was read a while after that."""
    times = sorted(time for time in (asked.time, *asked.earlier) if time > since)
    if not times or times[-1] - times[0] < PERIOD / 2:
        return False
    second = next(time for time in times if time - times[0] >= PERIOD / 2)
    return polled_at > second + WRITTEN


def inherited(before: Mapping[str, AgentControl], now: Mapping[str, AgentControl]) -> dict[str, AgentControl]:
    """Keep since when each value holds, where it is the same as before."""
    return {name: _inherited(before.get(name), one) for name, one in now.items()}


def _inherited(before: AgentControl | None, now: AgentControl) -> AgentControl:
    if before is None:
        return now
    known = {site.site: site for site in before.sites}
    sites = tuple(
        structs.replace(site, since=known[site.site].since)
        if site.site in known and _values(known[site.site]) == _values(site)
        else site
        for site in now.sites
    )
    return structs.replace(now, sites=sites)


def _values(site: SiteControl) -> tuple[object, ...]:
    return site.status, site.cpu, site.io, site.state, site.running_slots, site.pending_slots
