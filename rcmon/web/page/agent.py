"""What the page of one agent shows of it, beside its workers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from rcmon.documents.drift import DriftShape
from rcmon.documents.shapes import AgentDocument, AgentReportShape, FindingShape, SiteEntry
from rcmon.model import JOB_STATES, SEVERITIES, SITE_STATES
from rcmon.web.api.steering import ControlShape
from rcmon.web.page.beside import Differing, differing
from rcmon.web.page.overview import number, span

_DISK = ("disk ", "disk:")
"""How a report's warnings of disks begin: see `rcmon.reports.meaning`."""
_AS_LEFT = ("floor", "ghost_agent", "forced_down")
"""Reasons of values that are as the updater leaves them: they stand behind those that are not."""
_SITES = 8
"""Sites that are named where one reason strikes many."""
_MODES: Mapping[str, str] = {
    "observe": "It is only observed: rcmon tells what it sees, and nothing of that reaches the agent.",
    "advise": "Documents of what it is to do are served, and nobody answers it in the board's place.",
    "control": "It is answered in the site status board's place: what stands here is what it does.",
}


class Chip(Struct, frozen=True):
    """One word with what it is coloured by."""

    words: str
    kind: str


class Fact(Struct, frozen=True):
    """One thing about an agent."""

    name: str
    words: str
    kind: str = ""
    """good, warn, bad or dim: how it is marked; nothing: not at all."""
    detail: str = ""


class Counted(Struct, frozen=True):
    """Jobs of one kind; None: not known."""

    name: str
    first: int | None
    second: int | None = None


class DriftGroup(Struct, frozen=True):
    """Values that differ for one reason."""

    reason: str
    values: int
    sites: int
    rows: Sequence[tuple[str | None, Differing]]
    """Some of them, each with its site; None: all of the agent's."""
    rest: int


class ControlRow(Struct, frozen=True):
    """One site of which something else than upstream is told to the agent."""

    site: str
    state: str
    running: int | None
    pending: int | None
    reason: str


def chips(agent: AgentDocument, mode: str) -> Sequence[Chip]:
    """Say in a few words how it does."""
    health = agent.health
    down = len(health.down_components)
    found = {
        "ok": Chip("all components work", "good"),
        "down": Chip(f"{down} component{'' if down == 1 else 's'} down", "bad"),
    }.get(health.status, Chip("not known how it does", "dim"))
    drain = {True: Chip("in drain", "warn"), None: Chip("drain not known", "dim")}
    shown = [found]
    if agent.drain is not False:
        shown.append(drain[agent.drain])
    if agent.stale:
        shown.append(Chip("stale", "warn"))
    return [*shown, Chip(mode, "dim")]


def facts(agent: AgentDocument, others: Mapping[str, str | None]) -> Sequence[Fact]:
    """Tell of drain, disk, versions, report and source; `others`: every agent's version by name."""
    return [
        _drain(agent),
        *_disks(agent.report),
        _version(agent, others),
        *_report(agent.report),
        *_source(agent),
    ]


def _drain(agent: AgentDocument) -> Fact:
    left = agent.jobs_by_state
    waiting = None if left is None else sum(left.get(state, 0) for state in ("new", "created", "executing"))
    detail = "" if waiting is None else f"{number(waiting)} jobs are new, created or executing"
    report = agent.report
    if (
        report is not None
        and report.drain is not None
        and agent.drain is not None
        and report.drain != agent.drain
    ):
        detail = f"its report says {'yes' if report.drain else 'no'}; {detail}"
    words = {True: "yes: it takes no new work", False: "no", None: "not known"}[agent.drain]
    return Fact("Drain", words, {True: "warn", False: "", None: "dim"}[agent.drain], detail)


def _disks(report: AgentReportShape | None) -> Iterable[Fact]:
    if report is None or report.stale:
        yield Fact(
            "Disk",
            "not known",
            "dim",
            "the agent reports nothing" if report is None else "its report is stale",
        )
        return
    full = [text for text in report.warnings if text.startswith(_DISK)]
    for text in full:
        yield Fact("Disk", text, "bad")
    if not full:
        yield Fact("Disk", "no warning", "good", f"in its report, {_old(report)}")


def _version(agent: AgentDocument, others: Mapping[str, str | None]) -> Fact:
    known = Counter(version for version in others.values() if version)
    if agent.version is None:
        return Fact("Version", "not known", "dim")
    common = known.most_common(1)[0][0] if known else agent.version
    alike = f"{known[agent.version]} of {len(others)} agents run it"
    if agent.version != common:
        return Fact("Version", agent.version, "warn", f"{alike}; {known[common]} run {common}")
    return Fact("Version", agent.version, "", alike)


def _report(report: AgentReportShape | None) -> Iterable[Fact]:
    if report is None:
        yield Fact("Report", "none", "dim", "neither pushed nor in WMStats")
        return
    way = "pushed" if report.received else "read from WMStats"
    words = f"{report.status or 'no status'}, {_old(report)}"
    yield Fact(
        "Report",
        words,
        "warn" if report.stale else "",
        f"stale: it says nothing of now; {way}" if report.stale else way,
    )
    for text in report.warnings:
        if not text.startswith(_DISK):
            yield Fact("Warning", text, "warn")


def _old(report: AgentReportShape) -> str:
    return "as new as the cycle" if report.age < 1 else f"{span(report.age)} older than the cycle"


def _source(agent: AgentDocument) -> Iterable[Fact]:
    source = agent.source
    if source is None:
        return
    if source.up:
        yield Fact(
            "Poll",
            "answers",
            "",
            f"took {span(source.duration)}; {number(source.errors_total)} polls failed so far",
        )
    else:
        yield Fact(
            "Poll", source.error or "fails", "bad", f"{number(source.errors_total)} polls failed so far"
        )


def by_state(agent: AgentDocument) -> Sequence[Counted] | None:
    """Count jobs by state, in the order of their life; those that there are none of are left out."""
    if agent.jobs_by_state is None:
        return None
    order = {state: place for place, state in enumerate(JOB_STATES)}
    found = sorted(agent.jobs_by_state.items(), key=lambda one: (order.get(one[0], len(order)), one[0]))
    return [Counted(state, count) for state, count in found if count]


def by_task(agent: AgentDocument) -> Sequence[Counted] | None:
    """Count jobs that wait to be submitted and that are submitted, by task type."""
    created, executing = agent.created_by_task, agent.executing_by_task
    if created is None and executing is None:
        return None
    names = sorted({*(created or {}), *(executing or {})})
    return [
        Counted(
            name,
            None if created is None else created.get(name, 0),
            None if executing is None else executing.get(name, 0),
        )
        for name in names
    ]


def sites_by_state(entries: Iterable[SiteEntry], agent: str) -> Mapping[str, int]:
    """Count an agent's sites by the state that it holds them in."""
    counts: Counter[str] = Counter()
    for entry in entries:
        if agent in entry.agents:
            counts[next((state for state, agents in entry.states.items() if agent in agents), "unknown")] += 1
    order = (*SITE_STATES, *sorted(counts.keys() - {*SITE_STATES, "unknown"}), "unknown")
    return {state: counts[state] for state in order if counts[state]}


def drift_groups(drifts: Iterable[DriftShape]) -> Sequence[DriftGroup]:
    """Put what differs together by reason, those with most values first."""
    groups: dict[str, list[DriftShape]] = {}
    for one in drifts:
        groups.setdefault(one.reason, []).append(one)
    found = [_group(reason, same) for reason, same in groups.items()]
    return sorted(found, key=lambda group: (group.reason in _AS_LEFT, -group.values))


def _group(reason: str, same: Sequence[DriftShape]) -> DriftGroup:
    by_site: dict[str | None, list[DriftShape]] = {}
    for one in same:
        by_site.setdefault(one.site, []).append(one)
    named = list(by_site.items())[:_SITES]
    rows = [(site, each) for site, values in named for each in differing(values)]
    return DriftGroup(reason, len(same), len(by_site), rows, len(by_site) - len(named))


def worst_first(findings: Sequence[FindingShape]) -> Sequence[FindingShape]:
    """Order findings: what is acknowledged stands behind what is not, then by severity."""
    order: dict[str, int] = {severity: place for place, severity in enumerate(SEVERITIES)}
    return sorted(findings, key=lambda one: (one.acknowledgement is not None, order.get(one.severity, 3)))


def mode_words(mode: str) -> str:
    """Say what a control mode means."""
    return _MODES.get(mode, mode)


def control_rows(told: ControlShape) -> Sequence[ControlRow]:
    """Name the sites of which an override, the guard or a share tells something else than upstream."""
    found = [
        ControlRow(
            name,
            f"{one.state or 'unknown'} ({one.state_from})",
            one.running_slots,
            one.pending_slots,
            one.reason or one.slots_from,
        )
        for name, one in told.sites.items()
        if one.state_from != "upstream" or one.slots_from not in ("upstream", "share")
    ]
    return found[:20]
