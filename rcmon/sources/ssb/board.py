"""The board's two metrics put together, and what is odd about them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from rcmon.model import SiteStatus
from rcmon.sources.plausible import DocumentValues, Whose
from rcmon.sources.ssb.manual import manual_of
from rcmon.sources.ssb.search import BoardRow

STATUSES = frozenset({"enabled", "drain", "disabled", "test"})
"""What `prod_status` can be (WMCore's ResourceControlUpdater)."""
OLD = 1.5 * 86_400.0
"""Seconds: rows are written on a change and after midnight, so a sound one is hardly older than a day."""
FEW = 5
"""With fewer sites it means nothing that none is enabled."""
STATUS, CAPACITY = "sts15min", "scap15min"
_REASON = "Prod:"


def board(
    statuses: Mapping[str, BoardRow], capacities: Mapping[str, BoardRow], values: DocumentValues
) -> dict[str, SiteStatus]:
    """Say what the board says of each site, sorted by name; what is odd is noted."""
    sites = {
        name: _site(name, statuses.get(name), capacities.get(name), values)
        for name in sorted({*statuses, *capacities})
    }
    _note_old(STATUS, statuses, values)
    _note_old(CAPACITY, capacities, values)
    _note_all(sites, values)
    return sites


def _site(
    name: str, status: BoardRow | None, capacity: BoardRow | None, values: DocumentValues
) -> SiteStatus:
    whose = Whose(site=name)
    said, has = (status.data if status else {}), (capacity.data if capacity else {})
    made = SiteStatus(
        status=values.label("prod_status", said.get("prod_status"), whose),
        reason=_reason(values.shown("detail", said.get("detail"), whose)),
        status_time=status.time if status else None,
        manual=manual_of(said.get("manual_prod"), values, whose),
        cpu=values.whole("core_cpu_intensive", has.get("core_cpu_intensive"), whose),
        io=values.whole("core_io_intensive", has.get("core_io_intensive"), whose),
        capacity_time=capacity.time if capacity else None,
    )
    _note_site(name, made, has, values)
    return made


def _reason(detail: str | None) -> str | None:
    """Take the reason of the production status from a detail, which joins those of three."""
    for part in (detail or "").split("\n"):
        if part.strip().startswith(_REASON):
            return part.strip().removeprefix(_REASON).strip().removesuffix(",") or None
    return None


def _note_site(name: str, site: SiteStatus, has: Mapping[str, object], values: DocumentValues) -> None:
    note = values.findings.note
    if site.status_time is None:
        note("ssb_site_without_status", f"only {CAPACITY} has it", site=name)
    elif site.status not in STATUSES:
        shown = "not set" if site.status is None else repr(site.status)
        note("ssb_status_unknown", f"prod_status is {shown}: agents leave the state as it is", site=name)
    if site.capacity_time is None:
        note("ssb_site_without_cores", f"only {STATUS} has it", site=name)
        return
    if has.get("core_cpu_intensive") is None:
        io = "not set either" if site.io is None else str(site.io)
        note("ssb_cpu_missing", f"core_cpu_intensive is not set, core_io_intensive is {io}", site=name)
    if has.get("core_io_intensive") is None and site.cpu is not None:
        note("ssb_io_missing", f"core_io_intensive is not set, core_cpu_intensive is {site.cpu}", site=name)


def _note_old(metric: str, rows: Mapping[str, BoardRow], values: DocumentValues) -> None:
    old = {name: row.time for name, row in rows.items() if row.time < values.now - OLD}
    if old:
        oldest = min(old, key=lambda name: (old[name], name))
        since = datetime.fromtimestamp(old[oldest], UTC).strftime("%Y-%m-%d %H:%M")
        message = f"{metric}: {len(old)} of {len(rows)} sites, the oldest {oldest} of {since} UTC"
        values.findings.note("ssb_stale", message, count=len(old))


def _note_all(sites: Mapping[str, SiteStatus], values: DocumentValues) -> None:
    """Note what strikes all sites once, instead of once for each."""
    statuses = [site.status for site in sites.values() if site.status is not None]
    if len(statuses) >= FEW and "enabled" not in statuses:
        counts = _counted(statuses)
        values.findings.note(
            "ssb_none_enabled", f"of {len(statuses)} sites none is enabled: {counts}", count=len(statuses)
        )
    known = {name: site for name, site in sites.items() if site.cpu is not None}
    if known and not any(site.cpu for site in known.values()):
        values.findings.note("ssb_cores_all_zero", f"none of {len(known)} sites has cores", count=len(known))
        return
    for name, site in known.items():
        if site.cpu == 0 and site.status == "enabled":
            values.findings.note("ssb_cpu_zero", f"core_io_intensive is {site.io}", site=name)


def _counted(words: Iterable[str]) -> str:
    found = list(words)
    return ", ".join(f"{found.count(word)} {word}" for word in sorted(set(found)))
