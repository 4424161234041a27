"""What the page of one site shows first: the site over all agents, and its state and reason in each."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from rcmon.documents.shapes import AgentSiteShape, SiteShape
from rcmon.model import SITE_STATES, Override
from rcmon.timestamps import moment
from rcmon.web.api.diagnosis import age
from rcmon.web.api.override_body import OverrideShape, shape
from rcmon.web.page.overrides import override_rows
from rcmon.web.page.overview import Share
from rcmon.web.page.paths import agent_page
from rcmon.web.page.why import AgentWhy


class AgentLine(Struct, frozen=True):
    """One agent's view of the site."""

    agent: str
    link: str
    state: str | None
    since: str | None
    why: AgentWhy | None
    running: Share
    pending: Share
    as_of: str | None
    age: float | None
    """Of its data at the moment of the page, seconds; None: not known."""
    stale: bool


class SiteHead(Struct, frozen=True):
    """The site over all agents."""

    name: str
    tier: str | None
    states: Sequence[tuple[str, str]]
    """Each state that agents hold it in, with their names where they differ."""
    running: Share
    pending: Share
    tasks: Sequence[str]


class OverrideLine(Struct, frozen=True):
    """One override of the site, as it is shown and changed."""

    agent: str | None
    sets: str
    lasts: str
    reason: str
    by: str
    made: str | None
    told: OverrideShape


def head(site: SiteShape) -> SiteHead:
    """Show the site."""
    differs = len(site.states) > 1 or sum(map(len, site.states.values())) < len(site.agents)
    known = [(state, ", ".join(agents) if differs else "") for state, agents in site.states.items()]
    told = {agent for agents in site.states.values() for agent in agents}
    unknown = [agent for agent in site.agents if agent not in told]
    return SiteHead(
        name=site.name,
        tier=site.tier,
        states=[*known, *([("unknown", ", ".join(unknown) if known else "")] if unknown else [])],
        running=Share(site.running_jobs, site.running_slots),
        pending=Share(site.pending_jobs, site.pending_slots),
        tasks=sorted({task for one in site.agents.values() for task in one.tasks or ()}),
    )


def lines(site: SiteShape, why: Mapping[str, AgentWhy], now: float, slack: float) -> Sequence[AgentLine]:
    """Show each agent, by name."""
    return [_line(name, one, why.get(name), now, slack) for name, one in sorted(site.agents.items())]


def _line(name: str, one: AgentSiteShape, why: AgentWhy | None, now: float, slack: float) -> AgentLine:
    return AgentLine(
        agent=name,
        link=agent_page(name),
        state=one.state,
        since=one.state_time,
        why=why,
        running=Share(one.running_jobs, one.running_slots),
        pending=Share(one.pending_jobs, one.pending_slots),
        as_of=one.as_of,
        age=age(moment(one.as_of), now, slack) if one.as_of else None,
        stale=bool(one.stale),
    )


def state_class(state: str | None) -> str:
    """Name what a state is coloured by; one that is not WMCore's own is as unknown."""
    return f"state-{state.lower()}" if state in SITE_STATES else "state-unknown"


def override_lines(every: Sequence[Override], site: str) -> Sequence[OverrideLine]:
    """Show what operators set at a site, in all agents first."""
    mine = sorted((one for one in every if one.site == site), key=lambda one: one.agent or "")
    return [
        OverrideLine(row.agent, row.sets, row.lasts, row.reason, row.by, row.made, shape(one))
        for row, one in zip(override_rows(mine), mine, strict=True)
    ]
