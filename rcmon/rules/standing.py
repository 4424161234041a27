"""What goes for all task types at once: how an agent does, and how a site is set up in it. Pure."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from rcmon.model import Agent, AgentReport, AgentSite, SiteStatus
from rcmon.rules.expecting import is_tier0
from rcmon.rules.submission import (
    JOBS_FRACTION,
    OVERFLOW,
    TIER0_JOBS_FRACTION,
    TIER0_OVERFLOW,
    TIER0_TASKS,
    most_executing,
)
from rcmon.rules.words import manual_words

SUBMITTER, CREATOR = "JobSubmitter", "JobCreator"
"""Components without which nothing is submitted, and nothing is made to be submitted."""
_OF_STATE: Mapping[str | None, tuple[str, ...]] = {
    "Draining": ("site_draining",),
    "Down": ("site_down", "site_forced_down"),
    "Aborted": ("site_aborted",),
}
_WORDS = 200
"""Most characters of what somebody says."""


class Standing(Struct, frozen=True):
    """How an agent does, as far as that goes for all its sites."""

    reasons: dict[str, str]
    """Those of `rcmon.rules.reasons` that hold, in their order, with what is said of them."""
    overflow: float
    """Its CondorOverflowFraction."""


def standing(agent: Agent, report: AgentReport | None) -> Standing:
    """Conclude from the agent's components, and from its report where there is one."""
    bad = _bad_components(agent)
    if report is not None:
        for name in report.down_components or ():
            bad.setdefault(name, "the agent reports it as down")
    working = [component for component in agent.components or () if component.workers]
    dead = bool(working) and all(component.name in bad for component in working)
    drained = agent.drain or (report is not None and report.drain)
    found = {
        "agent_silent": "" if dead else None,
        "submitter_down": bad.get(SUBMITTER),
        "agent_drain": "" if drained else None,
        "creator_down": bad.get(CREATOR),
        "agent_full": _fullness(agent),
    }
    held = {name: words for name, words in found.items() if words is not None}
    return Standing(held, _overflow(agent))


def site_reasons(site: AgentSite, status: SiteStatus | None) -> Iterator[str]:
    """Give the reasons that hold for all task types at a site but those that a draining site takes."""
    if site.cms_name is None:
        yield "cms_name_missing"
    if site.plugin is None:
        yield "plugin_missing"
    if site.state is None:
        yield "state_unknown"
    elif site.state == "Aborted":
        yield "site_aborted"
    elif site.state == "Down":
        forced = status is not None and status.status == "enabled"
        yield "site_forced_down" if forced else "site_down"


def site_words(site: AgentSite, status: SiteStatus | None) -> dict[str, str]:
    """Give what the site status board says of a site that the agent does not hold Normal, by reason."""
    if status is None or status.status is None or site.state not in _OF_STATE:
        return {}
    manual = status.manual
    if manual is not None and manual.status is not None:
        said = manual_words(site.name, manual)
    else:
        reason = f": {status.reason}" if status.reason else ""
        said = f"the site status board has it {status.status}{reason}"
    return dict.fromkeys(_OF_STATE[site.state], said[:_WORDS])


def _bad_components(agent: Agent) -> dict[str, str]:
    """Name the components with a worker that is not well, and what is wrong with it."""
    return {
        component.name: f"{component.name} {worker.problem}"
        for component in agent.components or ()
        for worker in reversed(component.workers)
        if worker.problem is not None
    }


def _overflow(agent: Agent) -> float:
    """Give its CondorOverflowFraction: no tier-0 agent lets jobs overflow unless it is told to."""
    told = agent.submitter.condor_overflow_fraction
    if told is not None:
        return told
    return TIER0_OVERFLOW if _is_of_tier0(agent) else OVERFLOW


def executing_limit(agent: Agent) -> int | None:
    """Tell at how many executing jobs an agent submits no more; None: not known."""
    most = agent.submitter.max_jobs_per_owner
    return None if most is None else most_executing(most, _jobs_fraction(agent))


def _fullness(agent: Agent) -> str | None:
    """Say how many jobs an agent has that may have no more; None: it may, or that is not known."""
    limit, executing = executing_limit(agent), (agent.jobs_by_state or {}).get("executing")
    if limit is None or executing is None or executing < limit:
        return None
    whole = f"{_jobs_fraction(agent):g} of MAX_JOBS_PER_OWNER {agent.submitter.max_jobs_per_owner}"
    return f"{executing} of {limit} are executing ({whole})"


def _jobs_fraction(agent: Agent) -> float:
    """Give its CondorJobsFraction: a tier-0 agent may have all that its schedd lets it, unless it is told."""
    told = agent.submitter.condor_jobs_fraction
    if told is not None:
        return told
    return TIER0_JOBS_FRACTION if _is_of_tier0(agent) else JOBS_FRACTION


def _is_of_tier0(agent: Agent) -> bool:
    """Tell whether it is a tier-0 agent.

    One that is not told to be one, or not to be, is known by its component or its thresholds.
    """
    tier0 = is_tier0(agent)
    if agent.updater.tier0 is None and not tier0:
        return _has_tier0_thresholds(agent)
    return bool(tier0)


def _has_tier0_thresholds(agent: Agent) -> bool:
    return any(
        task.pending_slots is not None
        for site in agent.sites.values()
        for name, task in site.tasks.items()
        if name in TIER0_TASKS
    )
