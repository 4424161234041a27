"""One agent, put together from the rows that were read of it."""

from msgspec import Struct

from rcmon.model import Agent, SubmitterSettings, UpdaterSettings
from rcmon.sources.plausible import Values, text
from rcmon.sources.wmagent.backlog import unassigned
from rcmon.sources.wmagent.catalog import catalog
from rcmon.sources.wmagent.columns import COLUMNS
from rcmon.sources.wmagent.counting import count_active
from rcmon.sources.wmagent.findings import Findings
from rcmon.sources.wmagent.holders import holders
from rcmon.sources.wmagent.reading import Reading
from rcmon.sources.wmagent.sites import SiteMaker, thresholds
from rcmon.sources.wmagent.totals import batch_rows, count_unfinished, jobs_by_state
from rcmon.sources.wmagent.workers import components


class Configured(Struct, frozen=True):
    """What the sources file says of an agent's own configuration."""

    updater: UpdaterSettings = UpdaterSettings()
    submitter: SubmitterSettings = SubmitterSettings()


DEFAULTS = Configured()


def make_agent(name: str, now: float, reading: Reading, configured: Configured = DEFAULTS) -> Agent:
    """Put an agent together; `now` is the time of the poll, seconds since the epoch.

    Whatever the rows hold, an agent comes of it: what cannot be true is unknown, and a finding.
    """
    findings = Findings(name)
    values = Values(findings, now, COLUMNS)
    known = catalog(reading, values)
    active = count_active(reading.active_jobs, known, findings)
    unfinished = count_unfinished(reading, known, values)
    findings.note(
        "job_executing_without_batch_row",
        "jobs in state executing without an active batch row",
        count=unfinished.all_executing - active.executing,
    )
    waiting, limits = unassigned(reading, findings), thresholds(reading.thresholds, known, values)
    maker = SiteMaker(known, limits, active, unfinished, waiting)
    rows = batch_rows(reading.batch_rows, known, values)
    about = {text(parameter): value for parameter, value in reading.agent}
    return Agent(
        name=name,
        polled_at=now,
        sites=maker.sites(reading.pnns, values),
        jobs_by_state=jobs_by_state(reading.jobs_by_state, known, values),
        batch_active=rows.active,
        batch_completed=rows.completed,
        created_by_task=unfinished.created,
        executing_by_task=unfinished.executing,
        components=components(reading.components, reading.workers, values),
        hostname=values.shown("wma_init.init_value", about.get("hostname")),
        version=values.shown("wma_init.init_value", about.get("wma_version")),
        holders=holders(active.held, reading.workflows, values),
        findings=findings.all(),
        updater=configured.updater,
        submitter=configured.submitter,
    )
