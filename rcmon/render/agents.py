"""The documents of agents: all in short, and each one whole."""

from collections.abc import Iterable, Iterator, Mapping

from rcmon.documents import keys
from rcmon.documents.shapes import (
    AgentDocument,
    AgentReportShape,
    AgentsDocument,
    AgentShort,
    BatchJobs,
    FindingShape,
    Health,
    SourceShape,
    WorkerShape,
)
from rcmon.model import Agent, AgentReport, Component, Document, Jobs, Snapshot, SourceState, Worker
from rcmon.render.drift import forecast_shape, inputs
from rcmon.render.encoding import job_counts, json_document
from rcmon.render.findings import finding_shape
from rcmon.render.freshness import is_stale, source_of
from rcmon.rules.standing import executing_limit
from rcmon.timestamps import iso, seconds


def agent_documents(snapshot: Snapshot, previous: Mapping[str, Document]) -> list[Document]:
    """Render the list of agents, and each agent itself."""
    rendered: list[Document] = []
    whole: list[AgentDocument] = []
    reports = snapshot.upstream().reports or {}
    for name, agent in snapshot.agents.items():
        content = _agent(name, agent, snapshot, _report(reports.get(name), snapshot.started))
        whole.append(content)
        rendered.append(json_document(keys.agent(name), content, previous))
    short = AgentsDocument(
        iso(snapshot.started), len(whole), len(whole), None, [_short(content) for content in whole]
    )
    return [json_document(keys.AGENTS, short, previous), *rendered]


def health(workers: Iterable[WorkerShape]) -> Health:
    """Conclude as WMCore's getHeartbeatWarning: down where any worker is bad.

    Without any worker nothing vouches for the agent: unknown.
    """
    known = list(workers)
    bad = [worker for worker in known if worker.problem is not None]
    status = "down" if bad else "ok" if known else "unknown"
    return Health(status, sorted({worker.component for worker in bad}), bad)


def _agent(name: str, agent: Agent, snapshot: Snapshot, report: AgentReportShape | None) -> AgentDocument:
    workers = None if agent.components is None else list(_workers(agent.components))
    return AgentDocument(
        name=name,
        hostname=agent.hostname,
        version=agent.version,
        timestamp=iso(snapshot.started),
        as_of=iso(agent.polled_at),
        stale=is_stale(agent, snapshot),
        drain=agent.drain,
        health=health(workers or ()),
        workers=workers,
        sites=len(agent.sites),
        jobs=job_counts(sum((site.jobs for site in agent.sites.values()), Jobs())),
        jobs_by_state=agent.jobs_by_state,
        batch_jobs=BatchJobs(agent.batch_active, agent.batch_completed),
        created_by_task=agent.created_by_task,
        executing_by_task=agent.executing_by_task,
        findings=_findings(name, snapshot),
        source=_source(source_of(name, snapshot)),
        thresholds=inputs(snapshot.expected.get(name)),
        forecast=forecast_shape(snapshot.forecasts.get(name)),
        team=agent.updater.team or agent.team,
        report=report,
        executing_limit=executing_limit(agent),
    )


def _short(agent: AgentDocument) -> AgentShort:
    return AgentShort(
        name=agent.name,
        hostname=agent.hostname,
        version=agent.version,
        status=agent.health.status,
        down_components=agent.health.down_components,
        drain=agent.drain,
        as_of=agent.as_of,
        stale=agent.stale,
        sites=agent.sites,
        jobs=agent.jobs,
        findings=None if agent.findings is None else len(agent.findings),
        team=agent.team,
        report_age=agent.report.age if agent.report else None,
        warnings=agent.report.warnings if agent.report and not agent.report.stale else (),
    )


def _report(report: AgentReport | None, now: float) -> AgentReportShape | None:
    if report is None:
        return None
    return AgentReportShape(
        time=iso(report.time),
        received=iso(report.received),
        age=round(now - report.time, 3),
        stale=report.is_stale(now),
        team=report.team,
        version=report.version,
        status=report.status,
        drain=report.drain,
        down_components=report.down_components,
        warnings=report.warnings,
    )


def _findings(name: str, snapshot: Snapshot) -> list[FindingShape]:
    return [finding_shape(finding) for finding in snapshot.findings if finding.agent == name]


def _workers(components: Iterable[Component]) -> Iterator[WorkerShape]:
    for component in components:
        for worker in component.workers:
            yield _worker(component, worker)


def _worker(component: Component, worker: Worker) -> WorkerShape:
    return WorkerShape(
        component=component.name,
        worker=worker.name,
        state=worker.state,
        problem=worker.problem,
        last_updated=iso(worker.last_updated),
        update_threshold=round(component.update_threshold, 3),
        poll_interval=seconds(worker.poll_interval),
        cycle_time=seconds(worker.cycle_time),
        pid=worker.pid,
        last_error=iso(worker.last_error),
        outcome=worker.outcome,
        error_message=worker.error_message,
    )


def _source(source: SourceState | None) -> SourceShape | None:
    if source is None:
        return None
    return SourceShape(
        name=source.name,
        kind=source.kind,
        up=source.up,
        stale=source.stale,
        last_success=iso(source.last_success),
        duration=seconds(source.duration),
        error=source.error,
        errors_total=source.errors_total,
        polling_since=iso(source.polling_since),
    )
