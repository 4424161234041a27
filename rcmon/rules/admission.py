"""From which workflow priority on work is let in at a site, at both stages before its jobs exist. Pure.

Source: WMCore 2.4.5.9, WMCore/WorkQueue/WorkQueueBackend.py, `_evalAvailableWork`, and WMBSHelper.py,
`freeSlots`: an element of priority p is taken for a site iff the counted jobs of priority p and above are
fewer than the site's limit. Limit and counts are those of all the agent's sites of one CMS name together; a
site in a state that the stage does not take adds neither.

Of two sites with one CMS name, WMCore drops the jobs of priorities that only the one has that it happens to
read first; here they count.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from rcmon.model import Admission, Agent, AgentReport, AgentSite

AGENT_QUEUE = "agent_queue"
"""From the global queue into the agent's own (WorkQueue.freeResouceCheck)."""
DATABASE = "database"
"""From the agent's queue into its database, as jobs (WorkQueueManagerWMBSFileFeeder)."""
QUEUE_DEPTH = 0.5
"""What a production agent's own queue takes of a site's pending slots (`WorkQueueManager.queueParams`)."""
STATES: Mapping[str, frozenset[str]] = {
    AGENT_QUEUE: frozenset({"Normal"}),
    DATABASE: frozenset({"Normal", "Draining"}),
}
"""States of a site that a stage lets work in for."""

Admissions: TypeAlias = tuple[Admission, ...]


def floor(limit: float, counts: Mapping[int, float]) -> int | None:
    """Give the priority that is refused with all below it, while all above is taken; None: there is none.

    Going down from the highest priority, it is the one at which the sum of the counted jobs reaches the
    limit. Where the limit is 0 or less nothing is taken, whatever its priority.
    """
    total = 0.0
    for priority in sorted(counts, reverse=True):
        total += counts[priority]
        if total >= limit:
            return priority
    return None


def admission(stage: str, limit: float | None, counts: Mapping[int, float] | None) -> Admission:
    """Conclude from a limit and the jobs that count against it by workflow priority; None: not known."""
    counted = None if counts is None else sum(counts.values())
    if limit is not None and limit <= 0:
        return Admission(stage, "none", None, limit, counted)
    if limit is None or counts is None:
        return Admission(stage, None, None, limit, counted)
    found = floor(limit, counts)
    return Admission(stage, "all" if found is None else "above", found, limit, counted)


def admissions(agent: Agent, report: AgentReport | None) -> dict[str | None, Admissions]:
    """Tell both stages' admission by CMS name; sites without one take nothing, under None."""
    named: dict[str, list[AgentSite]] = {}
    for site in agent.sites.values():
        if site.cms_name is not None:
            named.setdefault(site.cms_name, []).append(site)
    drained = agent.drain or (report is not None and report.drain)
    found: dict[str | None, Admissions] = {
        name: (_into_queue(name, sites, report, drained=bool(drained)), _into_database(sites))
        for name, sites in named.items()
    }
    found[None] = tuple(Admission(stage, "none", None, 0.0, None) for stage in STATES)
    return found


def _into_database(sites: Iterable[AgentSite]) -> Admission:
    counts: dict[int, float] = {}
    for site in sites:
        if site.state in STATES[DATABASE]:
            for priority, jobs in site.backlog.items():
                counts[priority] = counts.get(priority, 0) + jobs
    return admission(DATABASE, _limit(sites, DATABASE), counts)


def _into_queue(
    name: str, sites: Iterable[AgentSite], report: AgentReport | None, *, drained: bool
) -> Admission:
    """Conclude from the agent's report: its database does not know what stands in its queue.

    The report tells the jobs that could run at the site, which is no less than WMCore counts there: fewer
    than the limit let all in; else it depends on their priorities, which are not told by site.
    """
    limit = 0.0 if drained else _limit(sites, AGENT_QUEUE, QUEUE_DEPTH)
    if report is None or report.queued is None:
        return admission(AGENT_QUEUE, limit, None)
    queued = report.queued.get(name)
    found = admission(AGENT_QUEUE, limit, {} if queued is None else {0: queued.jobs})
    if found.admits != "above":
        return found
    return Admission(AGENT_QUEUE, None, None, limit, found.counted)


def _limit(sites: Iterable[AgentSite], stage: str, depth: float = 1.0) -> float | None:
    """Give how many jobs may be counted at sites; None where a number of slots is not known."""
    limit = 0.0
    for site in sites:
        if site.state in STATES[stage]:
            if site.pending_slots is None:
                return None
            limit += site.pending_slots * depth
    return limit
