"""An agent's small tables: what the numbers in the large ones mean."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from rcmon.model import SITE_STATES
from rcmon.sources.database import Row
from rcmon.sources.wmagent.batch import PLUGINS
from rcmon.sources.wmagent.findings import Findings
from rcmon.sources.wmagent.reading import Reading
from rcmon.sources.wmagent.values import whole, words


class SiteRow(NamedTuple):
    """A row of wmbs_location."""

    name: str
    state: str | None
    state_time: int | None
    cms_name: str | None
    plugin: str | None
    running_slots: int | None
    pending_slots: int | None


class TaskType(NamedTuple):
    """A row of wmbs_sub_types."""

    name: str
    priority: int | None


class Catalog(NamedTuple):
    """The small tables by id."""

    sites: Mapping[int, SiteRow]
    task_types: Mapping[int, TaskType]
    job_states: Mapping[int, str]
    batch_statuses: Mapping[int, str]


def catalog(reading: Reading, findings: Findings) -> Catalog:
    """Make the lookups; note what is odd about sites."""
    states = _names(reading.site_states)
    sites = {row[0]: site for row in reading.sites if (site := _site(row, states)) is not None}
    _check_sites(sites, findings)
    return Catalog(
        sites=sites,
        task_types={
            key: TaskType(str(name), whole(priority)) for key, name, priority in reading.task_types if name
        },
        job_states=_names(reading.job_states),
        batch_statuses=_names(reading.batch_statuses),
    )


def first_of_each_name(sites: Mapping[int, SiteRow]) -> Iterator[tuple[int, SiteRow]]:
    """Give each site once, with its id: the first row of a name."""
    seen = set()
    for key, site in sites.items():
        if site.name not in seen:
            seen.add(site.name)
            yield key, site


def _names(rows: Sequence[Row]) -> Mapping[int, str]:
    return {key: str(name) for key, name in rows if name}


def _site(row: Row, states: Mapping[int, str]) -> SiteRow | None:
    _, name, state, state_time, cms_name, plugin, running_slots, pending_slots = row
    if not name:
        return None
    return SiteRow(
        name=str(name),
        state=states.get(state),
        state_time=whole(state_time) or None,
        cms_name=words(cms_name),
        plugin=words(plugin),
        running_slots=whole(running_slots),
        pending_slots=whole(pending_slots),
    )


def _check_sites(sites: Mapping[int, SiteRow], findings: Findings) -> None:
    names = [site.name for site in sites.values()]
    for _, site in first_of_each_name(sites):
        findings.note(
            "site_name_twice",
            "its name stands more than once",
            count=names.count(site.name) - 1,
            site=site.name,
        )
        for kind, message in _oddities(site):
            findings.note(kind, message, site=site.name)


def _oddities(site: SiteRow) -> Iterator[tuple[str, str]]:
    if site.state not in SITE_STATES:
        yield (
            "site_state_unknown",
            f"state {site.state or 'without a name'} is none of {', '.join(SITE_STATES)}",
        )
    if site.state_time is None:
        yield "site_state_time_missing", "the time of its last change of state is not set"
    if site.cms_name is None:
        yield "site_cms_name_missing", "cms_name is not set"
    if site.plugin is None:
        yield "site_plugin_missing", "plugin is not set, so its jobs cannot be classed"
    elif site.plugin not in PLUGINS:
        yield "site_plugin_unknown", f"plugin {site.plugin} is none of {', '.join(PLUGINS)}"
    for slots in ("running_slots", "pending_slots"):
        if getattr(site, slots) is None:
            yield "site_slots_missing", f"{slots} is not set"
