"""What each agent is to make of each site, and where every value comes from. Pure but for the log."""

import logging
from collections.abc import Iterable, Mapping

from msgspec import Struct, structs

from rcmon.model import Agent, Override, Snapshot, UpdaterSettings
from rcmon.model.steering import (
    MOST_CORES,
    AgentControl,
    AgentPlan,
    Effective,
    Quarantine,
    SiteControl,
    Word,
)
from rcmon.rules.expecting import is_tier0
from rcmon.rules.guarding import CAUSES
from rcmon.rules.overriding import ByPlace, by_place, overriding
from rcmon.rules.sharing import cores_for, is_shared_alike, pending_in_all, split
from rcmon.rules.thresholds import LEAST_CPU, LEAST_IO, site_slots, state_of

SERVED: Mapping[str, str] = {"Normal": "enabled", "Draining": "drain", "Down": "disabled"}
"""What makes an agent's updater set a state."""
_NOBODY = AgentPlan()
_NO_PERCENT = "its pending_slots_site_percent is 0: no cores make it set any pending slots"
LOG = logging.getLogger(__name__)


class Orders(Struct, frozen=True):
    """All that is said of what agents are to do."""

    effective: Effective
    quarantines: tuple[Quarantine, ...] = ()
    overrides: tuple[Override, ...] = ()
    plans: Mapping[str, AgentPlan] = {}
    """By agent."""


def controls(snapshot: Snapshot, told: Orders) -> dict[str, AgentControl]:
    """Tell what every agent is to make of its sites: those of the snapshot, and those that are configured."""
    names = sorted({*snapshot.agents, *told.plans})
    members = {name: _member(name, snapshot, told.plans.get(name, _NOBODY)) for name in names}
    placed = by_place(told.overrides)
    return {name: _contained(members[name], members.values(), told, placed, snapshot) for name in names}


class _Member(Struct, frozen=True):
    """One agent, as far as the others' shares depend on it."""

    name: str
    team: str | None
    agents: int | None
    drain: bool
    tier0: bool | None
    settings: UpdaterSettings
    plan: AgentPlan

    @property
    def shares(self) -> bool:
        """Whether it takes part in a share: it obeys, and counts in its team."""
        return self.plan.mode == "control" and not self.drain


def _member(name: str, snapshot: Snapshot, plan: AgentPlan) -> _Member:
    agent, expected = snapshot.agents.get(name), snapshot.expected.get(name)
    return _Member(
        name,
        plan.team or (expected.team if expected else None),
        expected.agents if expected else None,
        bool(agent and agent.drain),
        _tier0(agent),
        agent.updater if agent else UpdaterSettings(),
        plan,
    )


def _team(member: _Member, members: Iterable[_Member]) -> list[_Member]:
    """Give those that a member shares with, itself included; of a team that is not known all may be."""
    if not member.shares:
        return []
    return [one for one in members if one.shares and member.team in (None, one.team)]


def _tier0(agent: Agent | None) -> bool | None:
    return None if agent is None else is_tier0(agent)


def _contained(
    member: _Member, members: Iterable[_Member], told: Orders, placed: ByPlace, snapshot: Snapshot
) -> AgentControl:
    """Tell what one agent is to make of its sites; whatever is wrong with it is its own problem alone."""
    try:
        return _agent(member, members, told, placed, snapshot)
    except Exception as error:
        LOG.exception("what agent %s is to do cannot be concluded", member.name)
        problem = f"what it is to do cannot be concluded: {str(error) or type(error).__name__}"
        return _control(member, problem, ())


def _control(member: _Member, problem: str | None, sites: tuple[SiteControl, ...]) -> AgentControl:
    plan = member.plan
    return AgentControl(member.name, member.team, member.agents, plan.weight, problem, sites, plan.mode)


def _agent(
    member: _Member,
    members: Iterable[_Member],
    told: Orders,
    placed: ByPlace,
    snapshot: Snapshot,
) -> AgentControl:
    team = _team(member, members)
    held = _held(told)
    problems = dict[str, None]()
    sites = []
    for name, word in told.effective.good.items():
        site = SiteControl(
            name, word.status or "", word.cpu, word.io, None, None, None, since=snapshot.started
        )
        if name in held:
            cause, confirmed = held[name]
            site = structs.replace(
                site, state_from="guard", slots_from="guard", reason=CAUSES.get(cause), confirmed=confirmed
            )
        site = _shared(site, word, member, team, problems)
        site = _overridden(site, member, placed, snapshot, problems)
        sites.append(_made(site, member))
    if not sites:
        problems["no site is known: no sound document of upstream was read yet"] = None
    return _control(member, "; ".join(problems) or None, tuple(sites))


def _held(told: Orders) -> dict[str, tuple[str, float | None]]:
    """Tell by site for what cause it is held, and when it was last confirmed by itself."""
    held: dict[str, tuple[str, float | None]] = dict(told.effective.held)
    for one in told.quarantines:
        if one.whole:
            held |= {proposal.site: (one.cause, None) for proposal in one.proposals}
    return held


def _shared(
    site: SiteControl,
    word: Word,
    member: _Member,
    team: list[_Member],
    problems: dict[str, None],
) -> SiteControl:
    """Give a member its share of a site by the weights of those of its team that obey."""
    own, number = member.plan.weight_at(site.site), member.agents
    if own == 0:
        return _drained(site)  # whatever else is known, or not
    weights = {one.name: one.plan.weight_at(site.site) for one in team}
    if member.shares and member.team is None and (own != _NOBODY.weight or not is_shared_alike(weights)):
        problems["weights are set, and nothing says of which team it is"] = None
        return site
    if word.cpu is None or word.io is None or not weights or is_shared_alike(weights):
        return site
    if member.tier0 and site.site.startswith("T1_"):
        return site  # it takes a part of its own
    percent = member.settings.pending_slots_site_percent
    if not number or not percent:
        unknown = "weights differ, and nothing says how many agents are of its team"
        problems[unknown if not number else _NO_PERCENT] = None
        return site
    of_them = min(len(team), number)
    pending = split(pending_in_all(word.cpu, number, of_them, percent), weights)[member.name]
    return structs.replace(
        site,
        cpu=cores_for(pending, number, percent),
        io=split(word.io * of_them, weights)[member.name],
        slots_from="share",
        reason=f"its weight is {own:g} of {sum(weights.values()):g}",
    )


def _drained(site: SiteControl) -> SiteControl:
    """Give a site to an agent whose weight there is 0."""
    if site.cpu is not None and site.io is not None:
        # no fewer would be taken; and nothing but zeros is what a broken upstream says
        site = structs.replace(site, cpu=LEAST_CPU, io=LEAST_IO, slots_from="share")
    status = "disabled" if site.status == "disabled" else "drain"
    return structs.replace(site, status=status, state_from="share", reason="its weight is 0")


def _overridden(
    site: SiteControl, member: _Member, placed: ByPlace, snapshot: Snapshot, problems: dict[str, None]
) -> SiteControl:
    """Put what operators set in place of what holds by itself."""
    found = overriding(placed, site.site, member.name, snapshot.believed or snapshot.started)
    if found.state is not None and found.state.state is not None:
        site = structs.replace(
            site,
            status=SERVED[found.state.state],
            state_from="override",
            reason=f"{found.state.reason} ({found.state.subject})",
        )
    wanted = []
    if found.running is not None and found.running.running is not None:
        wanted.append((found.running.running, found.running))
    if found.pending is not None and found.pending.pending is not None:
        percent = member.settings.pending_slots_site_percent
        if not percent:
            problems[_NO_PERCENT] = None
        elif member.agents:
            wanted.append((cores_for(found.pending.pending, member.agents, percent), found.pending))
        else:
            problems[
                f"{site.site}: pending slots are overridden, and nothing says how many agents are of its team"
            ] = None
    if not wanted:
        return site
    # an unmodified agent makes both of one number: it gets no more than either
    cpu, by = min(wanted, key=lambda one: one[0])
    io = 0 if site.io is None else site.io if not site.cpu else min(site.io, site.io * cpu // site.cpu)
    return structs.replace(site, cpu=cpu, io=io, slots_from="override", reason=f"{by.reason} ({by.subject})")


def _made(site: SiteControl, member: _Member) -> SiteControl:
    """Add what the agent's updater makes of it."""
    tier0 = bool(member.tier0)
    state = state_of(site.status, tier0=tier0)
    if site.cpu is None or site.io is None:
        return structs.replace(site, state=state)
    cpu, io = min(site.cpu, MOST_CORES), min(site.io, MOST_CORES)
    if (cpu, io) != (site.cpu, site.io):
        reasons = filter(None, (site.reason, f"no more than {MOST_CORES} cores can be told"))
        site = structs.replace(site, cpu=cpu, io=io, reason="; ".join(reasons))
    slots = site_slots(site.site, (cpu, io), member.agents, member.settings, tier0=tier0)
    return structs.replace(
        site, state=state, running_slots=slots.running_slots, pending_slots=slots.pending_slots
    )
