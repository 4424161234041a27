"""The documents in the shapes that WMCore's operators know.

Source: WMCore's ResourceControl.listThresholdsForSubmit and listThresholdsForCreate. Sites and task types
without a threshold are shown too, with null slots; times are epoch integers as there.
"""

from collections.abc import Iterator, Mapping

from rcmon.documents import keys
from rcmon.documents.wmcore import SiteBacklog, SiteThresholds, TaskThreshold
from rcmon.model import AgentSite, Document, Snapshot, Task
from rcmon.render.encoding import json_document
from rcmon.timestamps import epoch


def wmcore_documents(snapshot: Snapshot, previous: Mapping[str, Document]) -> Iterator[Document]:
    """Render each agent's thresholds and backlog."""
    for name, agent in snapshot.agents.items():
        thresholds = {key: _thresholds(site) for key, site in agent.sites.items()}
        yield json_document(keys.thresholds(name), thresholds, previous)
        backlog = {key: _backlog(site) for key, site in agent.sites.items()}
        yield json_document(keys.backlog(name), backlog, previous)


def _thresholds(site: AgentSite) -> SiteThresholds:
    jobs = site.jobs
    return SiteThresholds(
        pnns=site.pnns,
        state=site.state,
        state_time=epoch(site.state_time),
        thresholds={name: _task(task) for name, task in site.tasks.items()},
        total_pending_jobs=jobs.pending,
        total_pending_slots=site.pending_slots,
        total_running_jobs=jobs.running,
        total_running_slots=site.running_slots,
    )


def _task(task: Task) -> TaskThreshold:
    return TaskThreshold(
        task.max_slots,
        task.pending_slots,
        task.priority,
        task.jobs.pending,
        task.jobs.running,
        task.wf_highest_priority,
    )


def _backlog(site: AgentSite) -> SiteBacklog:
    return SiteBacklog(
        cms_name=site.cms_name,
        pending_jobs=dict(sorted(site.backlog.items())),
        state=site.state,
        total_slots=site.pending_slots,
    )
