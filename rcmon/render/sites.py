"""The documents of sites over all agents."""

from collections.abc import Mapping

from msgspec import UNSET, json, msgpack
from msgspec.structs import astuple

from rcmon.documents import keys
from rcmon.documents.deflated import complete
from rcmon.documents.shapes import AgentSiteShape, KnownJobs, SiteEntry, SitesDocument, SiteShape, TaskShape
from rcmon.model import AgentSite, Document, Site, Snapshot, Task
from rcmon.render.encoding import JSON, job_counts
from rcmon.render.freshness import is_stale
from rcmon.render.workflows import holders_by_site
from rcmon.timestamps import iso

MSGPACK = "application/vnd.msgpack"

_Age = tuple[str | None, bool | None]
"""As of when an agent's data is, and whether it is stale."""


def site_documents(snapshot: Snapshot, previous: Mapping[str, Document]) -> list[Document]:
    """Render all sites, and their index with each site's own bytes."""
    ages: dict[str, _Age] = {
        name: (iso(agent.polled_at), is_stale(agent, snapshot)) for name, agent in snapshot.agents.items()
    }
    encoder = json.Encoder()
    holders = holders_by_site(snapshot)
    entries = [
        _entry(site, encoder.encode(_site(site, ages)), holders.get(site.name, b"[]"))
        for site in snapshot.sites.values()
    ]
    head = encoder.encode(SitesDocument(iso(snapshot.started), len(entries), len(entries), None, UNSET, ()))
    # each site is encoded once: the whole is its empty frame with the sites' bytes put in
    whole = head.removesuffix(b"]}") + b",".join(entry.document for entry in entries) + b"]}\n"
    index = msgpack.encode(entries)
    return [
        complete(keys.SITES, JSON, whole, previous),
        complete(keys.SITES_INDEX, MSGPACK, index, previous),
    ]


def _entry(site: Site, document: bytes, workflows: bytes) -> SiteEntry:
    return SiteEntry(
        name=site.name,
        tier=site.tier,
        state=site.state,
        states=dict(site.states),
        agents=tuple(site.agents),
        running_slots=site.running_slots,
        pending_slots=site.pending_slots,
        jobs=KnownJobs(*astuple(site.jobs)),
        document=document,
        workflows=workflows,
    )


def _site(site: Site, ages: Mapping[str, _Age]) -> SiteShape:
    return SiteShape(
        name=site.name,
        tier=site.tier,
        state=site.state,
        states=site.states,
        running_slots=site.running_slots,
        pending_slots=site.pending_slots,
        running_jobs=site.jobs.running,
        pending_jobs=site.jobs.pending,
        jobs=job_counts(site.jobs),
        agents={name: _agent_site(seen, ages.get(name, (None, None))) for name, seen in site.agents.items()},
    )


def _agent_site(site: AgentSite, age: _Age) -> AgentSiteShape:
    jobs = site.jobs
    as_of, stale = age
    return AgentSiteShape(
        state=site.state,
        state_time=iso(site.state_time),
        cms_name=site.cms_name,
        plugin=site.plugin,
        pnns=site.pnns,
        running_slots=site.running_slots,
        pending_slots=site.pending_slots,
        running_jobs=jobs.running,
        pending_jobs=jobs.pending,
        jobs=job_counts(jobs),
        tasks={name: _task(task) for name, task in site.tasks.items()},
        backlog=site.backlog,
        as_of=as_of,
        stale=stale,
    )


def _task(task: Task) -> TaskShape:
    jobs = task.jobs
    return TaskShape(
        task.max_slots,
        task.pending_slots,
        task.priority,
        jobs.pending,
        jobs.running,
        jobs.error,
        jobs.complete,
        jobs.unknown,
        task.wf_highest_priority,
    )
