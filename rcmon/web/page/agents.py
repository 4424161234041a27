"""What the page shows of the agents."""

from collections.abc import Sequence

from msgspec import Struct

from rcmon.documents.health import AgentHealth
from rcmon.documents.shapes import Facts
from rcmon.web.api.diagnosis import TOO_OLD, age
from rcmon.web.page.overview import span
from rcmon.web.page.paths import agent_page

_NAMED = 5
"""So many components are named; the agent's document has them all."""


class AgentRow(Struct, frozen=True):
    """One agent as the table shows it."""

    name: str
    link: str
    health: str
    """ok, down, old or unknown: what it is coloured by. Nothing but ok is green."""
    words: str
    """The same for a person."""
    detail: str
    age: float | None
    """Of its data, seconds."""
    drain: bool | None
    sites: int | None
    running: int | None
    pending: int | None


def agent_rows(facts: Facts | None, now: float) -> Sequence[AgentRow]:
    """Show every agent; of one of which an older collector tells nothing, that it is not known."""
    told = {health.name: health for health in facts.health} if facts else {}
    slack = facts.interval if facts else 0.0
    old = old_agents(facts, now)
    return [
        _row(name, told.get(name), now, slack, stale=name in old) for name in (facts.agents if facts else ())
    ]


def old_agents(facts: Facts | None, now: float) -> Sequence[str]:
    """Name the agents whose numbers are those of an earlier poll, or of a snapshot that is old itself."""
    if facts is None:
        return []
    since = age(facts.started, now, facts.interval)
    outdated = since is None or since > TOO_OLD * facts.interval
    return [health.name for health in facts.health if health.stale or outdated]


def _row(name: str, agent: AgentHealth | None, now: float, slack: float, *, stale: bool) -> AgentRow:
    link = agent_page(name)
    if agent is None:
        return AgentRow(name, link, "unknown", "not known", "", None, None, None, None, None)
    old = age(agent.polled_at, now, slack)
    health, words, detail = _health(agent)
    if stale and health != "ok":
        detail = f"as of {span(old)} ago: {detail}"
    elif stale:
        health, words, detail = "old", "not known", f"was well {span(old)} ago"
    return AgentRow(
        name,
        link,
        health,
        words,
        detail,
        old,
        agent.drain,
        agent.sites,
        agent.jobs.running,
        agent.jobs.pending,
    )


def _health(agent: AgentHealth) -> tuple[str, str, str]:
    """Say how an agent did at its poll."""
    if not agent.components:
        return "unknown", "not known", "no component has a worker"
    if agent.dead:
        return "down", "down", agent.death
    if agent.down:
        names = [component.name for component in agent.down[:_NAMED]]
        more = len(agent.down) - len(names)
        detail = ", ".join(names) + (f" and {more} more" if more else "")
        return "down", f"{len(agent.down)} of {agent.components} components down", detail
    return "ok", "ok", f"{agent.components} components"
