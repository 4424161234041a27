"""An agent's small tables: what the numbers in the large ones mean."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from rcmon.model import SITE_STATES
from rcmon.sources.database import Row
from rcmon.sources.plausible import Values, Whose
from rcmon.sources.wmagent.batch import PLUGINS
from rcmon.sources.wmagent.reading import Reading


class SiteRow(Struct, frozen=True):
    """A row of wmbs_location."""

    name: str
    state: str | None
    state_time: float | None
    cms_name: str | None
    plugin: str | None
    running_slots: int | None
    pending_slots: int | None


class TaskType(Struct, frozen=True):
    """A row of wmbs_sub_types."""

    name: str
    priority: int | None


class Catalog(Struct, frozen=True):
    """The small tables by id."""

    sites: Mapping[int, SiteRow]
    task_types: Mapping[int, TaskType]
    job_states: Mapping[int, str]
    batch_statuses: Mapping[int, str]


def catalog(reading: Reading, values: Values) -> Catalog:
    """Make the lookups; note what is odd about sites."""
    states = _names("wmbs_location_state", reading.site_states, values)
    sites = values.table("wmbs_location", reading.sites, lambda row: _site(row, states, values))
    _check_sites(sites, values)
    return Catalog(
        sites=sites,
        task_types=values.table("wmbs_sub_types", reading.task_types, lambda row: _task_type(row, values)),
        job_states=_names("wmbs_job_state", reading.job_states, values),
        batch_statuses=_names("bl_status", reading.batch_statuses, values),
    )


def first_of_each_name(sites: Mapping[int, SiteRow]) -> Iterator[tuple[int, SiteRow]]:
    """Give each site once, with its id: the first row of a name."""
    seen = set()
    for key, site in sites.items():
        if site.name not in seen:
            seen.add(site.name)
            yield key, site


def _names(table: str, rows: Sequence[Row], values: Values) -> Mapping[int, str]:
    def read(row: Row) -> tuple[int, str]:
        key, name = row
        return values.key(f"{table}.id", key), values.name(f"{table}.name", name)

    return values.table(table, rows, read)


def _task_type(row: Row, values: Values) -> tuple[int, TaskType]:
    key, name, priority = row
    task = values.name("wmbs_sub_types.name", name)
    priority = values.whole("wmbs_sub_types.priority", priority, Whose(task=task))
    return values.key("wmbs_sub_types.id", key), TaskType(task, priority)


def _site(row: Row, states: Mapping[int, str], values: Values) -> tuple[int, SiteRow]:
    key, name, state, state_time, cms_name, plugin, running_slots, pending_slots = row
    number = values.key("wmbs_location.id", key)
    site = values.name("wmbs_location.site_name", name)
    whose = Whose(site=site)
    for kind, message in _missing(row):
        values.findings.note(kind, message, site=site)
    return number, SiteRow(
        name=site,
        state=states.get(state),
        state_time=values.number("wmbs_location.state_time", state_time, whose),
        cms_name=values.label("wmbs_location.cms_name", cms_name, whose),
        plugin=values.label("wmbs_location.plugin", plugin, whose),
        running_slots=values.whole("wmbs_location.running_slots", running_slots, whose),
        pending_slots=values.whole("wmbs_location.pending_slots", pending_slots, whose),
    )


def _missing(row: Row) -> Iterator[tuple[str, str]]:
    """Tell what a row of wmbs_location leaves open."""
    _, _, _, state_time, cms_name, plugin, running_slots, pending_slots = row
    if not state_time:
        yield "site_state_time_missing", "the time of its last change of state is not set"
    if not cms_name:
        yield "site_cms_name_missing", "cms_name is not set"
    if not plugin:
        yield "site_plugin_missing", "plugin is not set, so its jobs cannot be classed"
    if running_slots is None:
        yield "site_slots_missing", "running_slots is not set"
    if pending_slots is None:
        yield "site_slots_missing", "pending_slots is not set"


def _check_sites(sites: Mapping[int, SiteRow], values: Values) -> None:
    names = Counter(site.name for site in sites.values())
    for _, site in first_of_each_name(sites):
        twice = names[site.name] - 1
        values.findings.note("site_name_twice", "its name stands more than once", count=twice, site=site.name)
        if site.state not in SITE_STATES:
            message = f"state {site.state or 'without a name'} is none of {', '.join(SITE_STATES)}"
            values.findings.note("site_state_unknown", message, site=site.name)
        if site.plugin is not None and site.plugin not in PLUGINS:
            message = f"plugin {site.plugin} is none of {', '.join(PLUGINS)}"
            values.findings.note("site_plugin_unknown", message, site=site.name)
