"""The demo's three agents that work: who they are, what runs in them, and what is odd about each."""

from msgspec import Struct


class DemoAgent(Struct, frozen=True):
    """One agent of the demo. The optional fields each name a site that is odd in this agent alone."""

    name: str
    hostname: str
    version: str
    no_cms_name: str | None = None
    no_plugin: str | None = None
    no_slots: str | None = None
    no_thresholds: str | None = None
    """A site with jobs whose threshold rows are gone."""
    twice: str | None = None
    """A site with a second threshold row for Merge."""
    alone_down: str | None = None
    """A site that this agent holds as Down while the others hold it as Normal."""
    dead_worker: str | None = None
    """A worker that stopped long ago."""

    @property
    def dead_component(self) -> str | None:
        """The component of that worker."""
        return next(
            (
                component
                for component, workers in COMPONENTS.items()
                if any(name == self.dead_worker for name, _ in workers)
            ),
            None,
        )


AGENTS = (
    DemoAgent(
        "vocms0281",
        "vocms0281.cern.ch",
        "2.4.5",
        no_cms_name="T3_US_HEPCloud",
        twice="T2_US_Purdue",
    ),
    DemoAgent(
        "vocms0282",
        "vocms0282.cern.ch",
        "2.4.5",
        no_thresholds="T3_CH_Volunteer",
        no_plugin="T3_NZ_UOA",
    ),
    DemoAgent(
        "cmsgwms-submit7",
        "cmsgwms-submit7.fnal.gov",
        "2.4.4.1",
        no_slots="T3_IT_Opportunistic",
        alone_down="T2_TR_METU",
        dead_worker="RucioInjectorPoller",
    ),
)
STUBBORN_SITES = frozenset(agent.alone_down for agent in AGENTS if agent.alone_down)
"""Sites whose state the simulation leaves alone."""

UPDATE_THRESHOLD = 7200
"""Seconds after which WMCore calls a worker's heartbeat too old."""

COMPONENTS: dict[str, tuple[tuple[str, int], ...]] = {
    "AgentStatusWatcher": (
        ("AgentStatusPoller", 300),
        ("DrainStatusPoller", 3600),
        ("ResourceControlUpdater", 900),
    ),
    "AgentWatchdog": (("AgentWatchdogPoller", 20), ("AgentWatchdogScanner", 3600)),
    "AnalyticsDataCollector": (("AnalyticsPoller", 600),),
    "ArchiveDataReporter": (("ArchiveDataPoller", 300),),
    "DBS3Upload": (("DBSUploadPoller", 100),),
    "ErrorHandler": (("ErrorHandlerPoller", 240),),
    "JobAccountant": (("JobAccountantPoller", 300),),
    "JobArchiver": (("JobArchiverPoller", 120),),
    "JobCreator": (("JobCreatorPoller", 120),),
    "JobStatusLite": (("StatusPoller", 60),),
    "JobSubmitter": (("JobSubmitterPoller", 120),),
    "JobTracker": (("JobTrackerPoller", 60),),
    "JobUpdater": (("JobUpdaterPoller", 120),),
    "RetryManager": (("RetryManagerPoller", 240),),
    "RucioInjector": (("RucioInjectorPoller", 300),),
    "TaskArchiver": (("CleanCouchPoller", 1200), ("TaskArchiverPoller", 240)),
    "WorkQueueManager": (
        ("WorkQueueManagerCleaner", 180),
        ("WorkQueueManagerLocationPoller", 3600),
        ("WorkQueueManagerReqMgrPoller", 180),
        ("WorkQueueManagerWMBSFileFeeder", 180),
        ("WorkQueueManagerWorkPoller", 180),
    ),
    "WorkflowUpdater": (("SiteListPoller", 3600), ("WorkflowUpdaterPoller", 3600)),
}
"""Workers with their poll intervals (seconds), by component."""
