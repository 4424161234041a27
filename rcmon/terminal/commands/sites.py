"""`rcmon-cli sites`."""

import click

from rcmon.terminal.commands.completing import sites_by_name
from rcmon.terminal.commands.listing import agent_option, at_option, query_of, tell_list
from rcmon.terminal.commands.thresholds import tell_wmcore
from rcmon.terminal.output import TableColumn
from rcmon.terminal.session import Session, asking
from rcmon.terminal.shapes import SiteSeen
from rcmon.terminal.words import UNKNOWN

_FIELDS = "name,tier,state,states,running_slots,pending_slots,running_jobs,pending_jobs"


def state_of(site: SiteSeen) -> str:
    """Name the state that a site is in; `differing` where agents hold it in several."""
    if site.state:
        return site.state
    return "differing" if len(site.states) > 1 else UNKNOWN


def states_of(site: SiteSeen) -> str:
    """Say which agents hold it in which state, where they differ."""
    if len(site.states) < 2:  # noqa: PLR2004 - two states differ
        return ""
    return "; ".join(f"{state}: {' '.join(agents)}" for state, agents in site.states.items())


COLUMNS = (
    TableColumn("site", lambda site: site.name),
    TableColumn("tier", lambda site: site.tier),
    TableColumn("state", state_of),
    TableColumn("running_jobs", lambda site: site.running_jobs),
    TableColumn("running_slots", lambda site: site.running_slots),
    TableColumn("pending_jobs", lambda site: site.pending_jobs),
    TableColumn("pending_slots", lambda site: site.pending_slots),
    TableColumn("states", states_of, folds=True),
)


@click.command()
@click.argument("names", metavar="[GLOB]...", nargs=-1, shell_complete=sites_by_name)
@click.option(
    "--state",
    multiple=True,
    metavar="STATE",
    help="Normal, Draining, Down, Aborted, differing or unknown; may be given again.",
)
@click.option("--tier", multiple=True, metavar="TIER", help="T0, T1, T2 or T3; may be given again.")
@agent_option
@click.option(
    "--sort",
    multiple=True,
    metavar="FIELD",
    help="Such as -pending_jobs: what to sort by, - for the most first.",
)
@at_option
@click.option(
    "--wmcore",
    is_flag=True,
    help="As wmagent-resource-control -p prints them, over all agents, or those that --agent names.",
)
@asking()
def sites(
    session: Session,
    *,
    names: tuple[str, ...],
    state: tuple[str, ...],
    tier: tuple[str, ...],
    agent: tuple[str, ...],
    sort: tuple[str, ...],
    at: str | None,
    wmcore: bool,
) -> None:
    """List sites: state, jobs and slots over all agents.

    GLOB is a whole name, upper and lower case apart, with wildcards, such as 'T1_*'. An unknown number is ?,
    never 0.
    """
    if wmcore:
        if state or tier or sort or at:
            raise click.UsageError("--wmcore goes with names, --agent and nothing else.")
        tell_wmcore(session, names, agent)
        return
    query = dict(query_of(site=names, state=state, tier=tier, agent=agent, sort=sort, at=at))
    if session.out.form != "json":
        query["fields"] = _FIELDS
    found = session.client.pages("/sites", "sites", query)
    tell_list(session, found, SiteSeen, COLUMNS, "site", past=at is not None)
