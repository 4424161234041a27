"""What every agent's states and thresholds should be, from what the sources say. Pure."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from rcmon.model import (
    PUSHED,
    Agent,
    AgentExpected,
    AgentReport,
    SiteExpected,
    SiteStatus,
    Snapshot,
    UpdaterSettings,
)
from rcmon.model.upstream import REPORT_STALE_AFTER
from rcmon.rules.thresholds import Capacities, capacities, site_slots, state_of, with_state

FEEDER = "Tier0Feeder"
"""The component that a tier-0 agent has, and no other."""


class Team(Struct, frozen=True):
    """Whom an agent shares the sites with."""

    name: str | None
    agents: int | None
    """N, as `getAgentsByTeam` counts; None: not known."""
    ghosts: tuple[str, ...] = ()
    missing: str | None = None
    """Why N is not known."""


class _Shares:
    """Each site's share is computed once for all agents that share in the same way."""

    def __init__(self, sites: Mapping[str, SiteStatus]) -> None:
        self.sites, self.capacities = sites, capacities(sites)
        self._made: dict[tuple[UpdaterSettings, bool, int | None], dict[str, SiteExpected]] = {}

    def of(
        self, names: Iterable[str], settings: UpdaterSettings, agents: int | None, *, tier0: bool
    ) -> dict[str, SiteExpected]:
        """Give what is expected of these sites."""
        made = self._made.setdefault((settings, tier0, agents), {})
        return {name: made.get(name) or self._make(made, name, settings, agents, tier0) for name in names}

    def _make(
        self,
        made: dict[str, SiteExpected],
        name: str,
        settings: UpdaterSettings,
        agents: int | None,
        tier0: bool,  # noqa: FBT001 - a part of the key
    ) -> SiteExpected:
        cores = self.capacities.sites.get(name)
        slots = SiteExpected() if cores is None else site_slots(name, cores, agents, settings, tier0=tier0)
        status = self.sites.get(name)
        natural = None if status is None else state_of(status.status, tier0=tier0)
        made[name] = with_state(slots, name, natural, settings)
        return made[name]


def expectations(snapshot: Snapshot) -> dict[str, AgentExpected]:
    """Tell for each agent what its updater makes of its sites."""
    upstream = snapshot.upstream()
    reports = upstream.reports or {}
    as_of: float | None = reports_as_of(snapshot)
    if PUSHED in snapshot.given and not any(
        given.reports for name, given in snapshot.given.items() if name != PUSHED
    ):
        as_of = None  # what an agent pushes does not say who else is of its team
    shares = None if upstream.sites is None else _Shares(upstream.sites)
    return {
        name: _expected(agent, team_of(agent, reports, as_of), shares)
        for name, agent in snapshot.agents.items()
    }


def is_tier0(agent: Agent) -> bool | None:
    """Tell whether it is a tier-0 agent, as it is configured or as its components say."""
    if agent.updater.tier0 is not None or not agent.components:
        return agent.updater.tier0
    return any(component.name == FEEDER for component in agent.components)


def reports_as_of(snapshot: Snapshot) -> float:
    """Tell until when the agents could be heard: the newest poll of a source that gives their reports."""
    times = [
        state.last_success
        for state in snapshot.sources
        if state.last_success is not None
        and (given := snapshot.given.get(state.name)) is not None
        and given.reports is not None
    ]
    return max(times, default=snapshot.started)


def team_of(agent: Agent, reports: Mapping[str, AgentReport], as_of: float | None) -> Team:
    """Count the agents of an agent's team that do not drain, dead ones included, as its updater does.

    An agent that drains counts itself alone. Never guessed: without the agents' reports N is not known.
    `as_of`: until when all agents could be heard; None: nobody lists them all.
    """
    own = reports.get(agent.name)
    name = agent.updater.team or (own.team if own else None)
    drain = agent.drain if agent.drain is not None else (own.drain if own else None)
    if drain:
        return Team(name, 1)
    if name is None:
        return Team(None, None, missing=f"the team of {agent.name} is neither configured nor reported")
    if drain is None:
        return Team(name, None, missing=f"nothing says whether {agent.name} drains")
    if as_of is None:
        return Team(name, None, missing=f"no source says which agents are of the team {name}")
    members = {key: report for key, report in reports.items() if report.team == name and not report.drain}
    if not members:
        return Team(name, None, missing=f"no report of an agent of the team {name} that does not drain")
    ghosts = (key for key, report in members.items() if report.time < as_of - REPORT_STALE_AFTER)
    return Team(name, len(members), tuple(sorted(ghosts)))


def _expected(agent: Agent, team: Team, shares: _Shares | None) -> AgentExpected:
    tier0, settings = is_tier0(agent), agent.updater
    missing = team.missing
    if shares is None:
        missing = "no source says what the site status board has"
    elif tier0 is None:
        missing = f"nothing says whether {agent.name} is a tier-0 agent"
    about = AgentExpected(team.name, team.agents, team.ghosts, tier0, missing)
    if shares is None or tier0 is None or not settings.enabled:
        return about
    living = None if team.agents is None else team.agents - len(team.ghosts)
    return AgentExpected(
        team.name,
        team.agents,
        team.ghosts,
        tier0,
        missing,
        _stopped(shares.capacities),
        shares.of(agent.sites, settings, team.agents, tier0=tier0),
        shares.of(agent.sites, settings, living, tier0=tier0) if team.ghosts and living else {},
    )


def _stopped(known: Capacities) -> str | None:
    if known.stopped is not None:
        return (
            f"the site status board has IO but no CPU cores for {known.stopped}: "
            "the updater ends with KeyError and changes no slots"
        )
    if not known.sites:
        return "the site status board has no cores for any site: the updater changes no slots"
    return None
