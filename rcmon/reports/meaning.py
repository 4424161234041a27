"""What an `agent_info` document means. Pure."""

import re
from collections.abc import Iterator, Mapping

from rcmon.model import AgentReport, QueuedWork
from rcmon.reports.agent_info import AgentInfo, Down, Process, Work

AVAILABLE = "Available"
"""The status of elements that wait in the agent's own queue."""
NOWHERE = "NoPossibleSite"
"""In place of a site, for what can run at none."""
MOST = 50
"""Warnings that are kept; the rest is counted."""
LONGEST = 300
"""Characters of a warning."""
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?([A-Za-z0-9_.-]+)")
_ILL = re.compile(r"\b(?:zombie|dead|stopped|not[ -]?running|partially|unknown)\b", re.IGNORECASE)
"""Words for a process that does not work: psutil's, those of /proc, and wmcoreD's."""


def host_of(url: str) -> str | None:
    """Read the host of an `agent_url`, which may have a port; None: there is none."""
    found = _HOST.match(url.strip())
    return found[1].strip(".").lower() or None if found else None


def report_of(info: AgentInfo) -> AgentReport:
    """Tell what a document says."""
    queue = info.LocalWQ_INFO
    limits = info.WMBS_INFO.thresholdsGQ2LQ if info.WMBS_INFO else None
    return AgentReport(
        time=info.timestamp,
        host=host_of(info.agent_url),
        team=_shown(info.agent_team),
        version=_shown(info.agent_version),
        status=_shown(info.status),
        drain=info.drain_mode,
        down_components=_down(info),
        warnings=_bounded(list(dict.fromkeys(_warnings(info)))),
        queued=None if queue is None else _queued(queue.possibleJobsPerSite, queue.uniqueJobsPerSite),
        queued_by_priority=None if queue is None else _by_priority(queue.workByStatusAndPriority),
        queue_limits=None if limits is None else dict(sorted(limits.items())),
    )


def _shown(text: str | None) -> str | None:
    """Make a text one line; None where there is nothing in it."""
    line = " ".join((text or "").split())
    line = "".join(letter if letter.isprintable() else "�" for letter in line)
    return (line if len(line) <= LONGEST else f"{line[:LONGEST]}…") or None


def _bounded(found: list[str]) -> tuple[str, ...]:
    return (*found[:MOST], *([f"and {len(found) - MOST} more"] if len(found) > MOST else ()))


def _down(info: AgentInfo) -> tuple[str, ...] | None:
    if info.down_components is None and info.down_component_detail is None:
        return None
    detail = info.down_component_detail or ()
    named = [one.name for one in detail if isinstance(one, Down)]
    named += [one for one in detail if isinstance(one, str)]
    return tuple(sorted({name for name in map(_shown, (*(info.down_components or ()), *named)) if name}))


def _warnings(info: AgentInfo) -> Iterator[str]:
    for text in _all_warnings(info):
        if line := _shown(text):
            yield line


def _all_warnings(info: AgentInfo) -> Iterator[str]:
    for one in info.down_component_detail or ():
        if isinstance(one, Down):
            yield _of_component(one)
    for name, processes in (info.components or {}).items():
        for process in processes if isinstance(processes, list) else (processes,):
            yield _of_process(name, process)
    for disk in info.disk_warning or ():
        if isinstance(disk, str):
            yield f"disk: {disk}"
        else:
            yield f"disk {disk.mounted or '?'} is {disk.percent or 'almost'} full"
    if (info.couch_process_warning or 0) > 0:
        yield f"CouchDB runs with {info.couch_process_warning} processes"
    yield from (info.proxy_warning or "").split(";")
    if info.data_error is not None and info.data_error != "ok":
        yield f"its data could not be gathered: {info.data_error}"


def _of_component(down: Down) -> str:
    worker = f", worker {down.worker_name}" if down.worker_name else ""
    error = (down.error_message or "").strip().partition("\n")[0]
    return f"component {down.name}{worker}: {down.state or 'down'}" + (f" ({error})" if error else "")


def _of_process(component: str, process: Process) -> str:
    if process.error:
        return f"component {component}: {process.error}"
    if process.status and _ILL.search(process.status):
        return f"component {component}: process {process.process or '?'} is {process.status}"
    return ""


def _queued(
    possible: Mapping[str, Mapping[str, Work]] | None, unique: Mapping[str, Mapping[str, Work]] | None
) -> Mapping[str, QueuedWork] | None:
    """Count by site; one that the document knows for possible jobs alone has no unique ones."""
    if possible is None:
        return None
    alone = (unique or {}).get(AVAILABLE, {})
    counted = {}
    for site, work in sorted(possible.get(AVAILABLE, {}).items()):
        if site != NOWHERE and work.sum_jobs is not None:
            lone = alone.get(site)
            counted[site] = QueuedWork(work.sum_jobs, (lone.sum_jobs or 0) if lone else 0)
    return counted


def _by_priority(works: Mapping[str, list[Work]] | None) -> Mapping[int, int] | None:
    if works is None:
        return None
    counted: dict[int, int] = {}
    for work in works.get(AVAILABLE, ()):
        if work.priority is not None and work.sum_jobs is not None:
            counted[work.priority] = counted.get(work.priority, 0) + work.sum_jobs
    return dict(sorted(counted.items(), reverse=True))
