"""Findings: what in a snapshot needs an operator's attention, and why. Pure."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rcmon.model import Finding, Snapshot, SourceState

STATE_DISAGREEMENT = "state_disagreement"
WORKER_UNHEALTHY = "worker_unhealthy"
AGENT_CLAIMED_TWICE = "agent_claimed_twice"
SOURCE_FAILING = "source_failing"

KINDS: Mapping[str, str] = MappingProxyType(
    {
        # over all agents
        STATE_DISAGREEMENT: "Agents hold a site in different states.",
        WORKER_UNHEALTHY: "A worker thread of an agent is in state Error or has not reported for too long.",
        AGENT_CLAIMED_TWICE: "Several sources claim the same agent; the first configured is taken.",
        SOURCE_FAILING: "The newest poll of a source failed.",
        # in one agent's database (rcmon.sources.wmagent)
        "batch_row_status_unknown": "Batch rows are marked neither active nor done; they are not counted.",
        "batch_row_without_job": "Active batch rows belong to jobs that do not exist; they are not counted.",
        "batch_status_unlisted": "Jobs are in a batch status that the plug-in does not list: class unknown.",
        "batch_status_without_name": "Batch rows are in a status that has no name: class unknown.",
        "job_active_twice": "Jobs have several active batch rows; the highest retry count speaks.",
        "job_active_not_executing": "Jobs not in state executing have an active batch row; not counted.",
        "job_executing_without_batch_row": "Jobs are in state executing but have no active batch row.",
        "job_executing_without_site": "Jobs are in state executing but at no site; they are counted at none.",
        "job_input_nowhere": "Unassigned jobs have no site that holds any of their input and may take them.",
        "job_site_missing": "Jobs are at sites that do not exist; they are counted at none.",
        "job_state_unknown": "Jobs are in a state that is none of WMCore's eighteen.",
        "job_task_type_missing": "Jobs belong to no known task type; they are counted at no site.",
        "site_cms_name_missing": "A site has no CMS name.",
        "site_name_twice": "A site's name stands twice; what the first row says of it counts.",
        "site_plugin_missing": "A site has no plug-in: all its jobs are of class unknown.",
        "site_plugin_unknown": "A site has a plug-in that is not known: all its jobs are of class unknown.",
        "site_slots_missing": "A site has no number of running or pending slots.",
        "site_state_time_missing": "It is not known since when a site is in its state.",
        "site_state_unknown": "A site is in a state that is none of WMCore's four.",
        "site_without_thresholds": "A site has no threshold at all: the agent submits nothing to it.",
        "threshold_missing": "Jobs are at a site that has no threshold for their task type.",
        "threshold_pointless": "Threshold rows belong to sites or task types that do not exist.",
        "threshold_twice": "A site and task type have several threshold rows; the lowest counts.",
        "worker_without_component": "Worker rows belong to components that do not exist.",
        "workflow_priority_missing": "Jobs' workflows have no priority; they stand under 0 in the backlog.",
    }
)
"""Every kind of finding there is and what it means, in one sentence each."""


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Find what is wrong over all agents, and list it with what the polls found in each; sorted."""
    found = [
        *_failing(snapshot),
        *_claimed_twice(snapshot),
        *_disagreeing(snapshot),
        *_unhealthy(snapshot),
        *(finding for agent in snapshot.agents.values() for finding in agent.findings),
    ]
    return tuple(sorted(found, key=_order))


def _order(finding: Finding) -> tuple[str, str, str, str, str]:
    return (
        finding.kind,
        finding.agent or "",
        finding.site or "",
        finding.task or "",
        finding.message,
    )


def _failing(snapshot: Snapshot) -> Iterator[Finding]:
    for source in snapshot.sources:
        if not source.up:
            yield Finding(SOURCE_FAILING, None, f"source {source.name}: {source.error} ({_data(source)})")


def _data(source: SourceState) -> str:
    """Say what a failing source's failure means for the snapshot."""
    if source.stale:
        return "its last data are shown"
    return "it has never succeeded" if source.last_success is None else "it has no data that are shown"


def _claimed_twice(snapshot: Snapshot) -> Iterator[Finding]:
    claims: dict[str, list[str]] = {}
    for source in snapshot.sources:
        for agent in source.agents:
            claims.setdefault(agent, []).append(source.name)
    for agent, sources in claims.items():
        if len(sources) > 1:
            message = f"claimed by the sources {', '.join(sources)}: taken from {sources[0]}"
            yield Finding(AGENT_CLAIMED_TWICE, agent, message, len(sources) - 1)


def _disagreeing(snapshot: Snapshot) -> Iterator[Finding]:
    for site in snapshot.sites.values():
        if len(site.states) > 1:
            held = "; ".join(f"{state} in {', '.join(agents)}" for state, agents in site.states.items())
            yield Finding(STATE_DISAGREEMENT, None, f"agents disagree on the state: {held}", site=site.name)


def _unhealthy(snapshot: Snapshot) -> Iterator[Finding]:
    for agent in snapshot.agents.values():
        for component in agent.components or ():
            for worker in component.workers:
                if worker.problem is not None:
                    message = f"{component.name}, worker {worker.name}: {worker.problem}"
                    yield Finding(WORKER_UNHEALTHY, agent.name, message)
