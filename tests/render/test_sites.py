"""The documents of sites say what the snapshot says."""

from msgspec import json, msgpack
from msgspec.structs import asdict, astuple

from rcmon.documents import keys, shapes
from rcmon.documents.deflated import inflate
from rcmon.documents.shapes import SiteEntry
from rcmon.model import AgentSite, Jobs, Snapshot, Task
from tests.render.decoding import Documents, moment, read


def test_sites(documents: Documents, snapshot: Snapshot) -> None:
    whole = read(documents, keys.SITES, shapes.SitesDocument)
    assert moment(whole.timestamp) == snapshot.started
    assert whole.count == len(whole.sites) == 3
    for shape, site in zip(whole.sites, snapshot.sites.values(), strict=True):
        assert (shape.name, shape.tier, shape.state) == (site.name, site.tier, site.state)
        assert {state: tuple(agents) for state, agents in shape.states.items()} == site.states
        assert (shape.running_slots, shape.pending_slots) == (site.running_slots, site.pending_slots)
        assert (shape.running_jobs, shape.pending_jobs) == (site.jobs.running, site.jobs.pending)
        assert Jobs(**asdict(shape.jobs)) == site.jobs
        assert list(shape.agents) == list(site.agents)
        for name, seen in site.agents.items():
            check_agent_site(shape.agents[name], seen)
            assert moment(shape.agents[name].as_of) == snapshot.agents[name].polled_at
            assert shape.agents[name].stale is False


def check_agent_site(shape: shapes.AgentSiteShape, site: AgentSite) -> None:
    plain = ("state", "cms_name", "plugin", "running_slots", "pending_slots", "backlog")
    assert [getattr(shape, field) for field in plain] == [getattr(site, field) for field in plain]
    assert moment(shape.state_time) == site.state_time
    assert tuple(shape.pnns) == site.pnns
    assert Jobs(**asdict(shape.jobs)) == site.jobs
    assert (shape.running_jobs, shape.pending_jobs) == (site.jobs.running, site.jobs.pending)
    assert list(shape.tasks) == list(site.tasks)
    for name, task in site.tasks.items():
        found = shape.tasks[name]
        jobs = Jobs(
            found.pending_jobs, found.running_jobs, found.error_jobs, found.complete_jobs, found.unknown_jobs
        )
        assert (
            Task(found.max_slots, found.pending_slots, found.priority, jobs, found.wf_highest_priority)
            == task
        )


def test_the_index_holds_each_sites_own_bytes(documents: Documents, snapshot: Snapshot) -> None:
    entries = msgpack.decode(inflate(documents[keys.SITES_INDEX]), type=tuple[SiteEntry, ...])
    whole = json.decode(inflate(documents[keys.SITES]))
    for entry, content, site in zip(entries, whole["sites"], snapshot.sites.values(), strict=True):
        assert json.decode(entry.document) == content
        fields = ("name", "tier", "state", "states", "running_slots", "pending_slots")
        assert [getattr(entry, field) for field in fields] == [getattr(site, field) for field in fields]
        assert astuple(entry.jobs) == astuple(site.jobs)
        assert entry.agents == tuple(site.agents)
