"""What reports say of agents that their databases do not: given to the agents that it belongs to. Pure."""

from collections.abc import Mapping

from msgspec import structs

from rcmon.model import Agent, AgentReport, Upstream

FILLED = ("drain", "team", "version")
"""Fields of an agent that its report says where its source does not."""


def as_polled(agent: Agent) -> Agent:
    """Give an agent as its source gave it, without what a report said."""
    if not agent.reported:
        return agent
    return structs.replace(agent, reported=(), **dict.fromkeys(agent.reported))


def filled(agent: Agent, report: AgentReport | None, now: float) -> Agent:
    """Let an agent have what its report says; one that is too old at `now` says nothing."""
    if report is None or report.is_stale(now):
        return agent
    said = {
        name: value
        for name in FILLED
        if getattr(agent, name) is None and (value := getattr(report, name)) is not None
    }
    return structs.replace(agent, reported=tuple(said), **said) if said else agent


def named(given: Upstream, agents: Mapping[str, Agent]) -> Upstream:
    """Name reports as agents are named here: WMStats knows their hosts alone."""
    if not given.reports:
        return given
    # of two that are read from one database the first has its report
    of_host = {
        agent.hostname.lower(): name for name, agent in reversed(list(agents.items())) if agent.hostname
    }
    reports: dict[str, AgentReport] = {}
    for key, report in given.reports.items():
        name = key if key in agents else of_host.get(report.host or "", key)
        if name not in reports or reports[name].time < report.time:
            reports[name] = report
    return structs.replace(given, reports=dict(sorted(reports.items())))
