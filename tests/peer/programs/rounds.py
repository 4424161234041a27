# ruff: noqa: N802, N813 - the names are WMCore's
"""WMCore's own ResourceControlUpdater, round by round, with what surrounds it: CRIC, WMStats, its component.

What its database is, is the business of whoever imports this: those modules must stand in their place before.
"""

import types

from stand_ins import anything, module


class CRIC:
    def PSNtoPNNMap(self, pattern):
        return {}


class Base:
    def __init__(self):
        pass


module("oracledb", init_oracle_client=lambda *_, **__: None, version="0")
module("WMCore.Services.CRIC.CRIC", CRIC=CRIC)
module("WMCore.Services.ReqMgrAux.ReqMgrAux", isDrainMode=lambda config: config.drain)
module("WMCore.WorkerThreads.BaseWorkerThread", BaseWorkerThread=Base)
module("Utils.wmcoreDTools", resetWatchdogTimer=lambda _: 0, moduleName=lambda _: "updater")
anything("WMCore.Database.CMSCouch", "WMCore.Lexicon", "WMCore.Services.RequestDB.RequestDBReader")

from WMComponent.AgentStatusWatcher import ResourceControlUpdater as updating  # noqa: E402
from WMCore.Services.WMStats.WMStatsReader import WMStatsReader  # noqa: E402


class Reader(WMStatsReader):
    """WMCore's reader of WMStats; the view's rows are the round's."""

    reports = None

    def __init__(self, url):
        pass

    def _getAgentInfo(self):
        return {"rows": [{"value": report} for report in self.reports]}


updating.WMStatsReader = Reader


def update(asked, url, token):
    """Let the updater do a round as {settings, tier0, drain, ssb, reports} asks; MonIT is at `url`."""
    settings, namespace = asked["settings"], types.SimpleNamespace
    watcher = namespace(
        grafanaToken=token,
        grafanaURL=url,
        grafanaSSB=asked["ssb"],
        onlySSB=settings["only_ssb"],
        forceSiteDown=settings["force_site_down"],
        pendingSlotsSitePercent=settings["pending_slots_site_percent"],
        pendingSlotsTaskPercent=settings["pending_slots_task_percent"],
        runningExpressPercent=settings["running_express_percent"],
        runningRepackPercent=settings["running_repack_percent"],
        t1SitesCores=settings["t1_sites_cores"],
        enabled=settings["enabled"],
    )
    config = namespace(
        AgentStatusWatcher=watcher,
        Agent=namespace(teamName=settings["team"]),
        General=namespace(centralWMStatsURL="none"),
        drain=asked["drain"],
    )
    if asked["tier0"]:
        config.Tier0Feeder = namespace()
    Reader.reports = asked["reports"]
    updating.ResourceControlUpdater(config).algorithm(None)
