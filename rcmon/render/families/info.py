"""The family of what sites are, whoever sends them work."""

from collections.abc import Iterator

from rcmon.exposition.lines import Sample, labels
from rcmon.model import Site, SiteNames, country, tier
from rcmon.render.families.family import Family
from rcmon.render.families.view import View

_LABELS = ("site", "tier", "cms_name", "country")


def _sites(view: View) -> Iterator[Sample]:
    """Give each site once; what is not known of it is an empty label."""
    names = view.snapshot.upstream().names or {}
    for name, site in view.snapshot.sites.items():
        known = _cms_name(site, names.get(name))
        yield labels(_LABELS, (name, tier(name), known, country(known or name))), 1


def _cms_name(site: Site, catalogued: SiteNames | None) -> str | None:
    """Take the catalogue's word, else the one that all agents have that have one."""
    if catalogued is not None and catalogued.cms_name:
        return catalogued.cms_name
    said = {seen.cms_name for seen in site.agents.values() if seen.cms_name}
    return next(iter(said)) if len(said) == 1 else None


INFO_FAMILIES = (
    Family(
        "rcmon_site_info",
        "info",
        _LABELS,
        "Tier, CMS name and country of the site, as far as they are known.",
        _sites,
    ),
)
