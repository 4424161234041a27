# ruff: noqa: N802, N803, N813 - the names are WMCore's
"""Rounds of WMCore's own ResourceControlUpdater, each over an agent of its own.

Asks {url, rounds: [round]}; a round is {ssb, settings, tier0, drain, reports: [agent_info],
sites: {name: {state, running_slots, pending_slots, tasks: {type: [max, pending]}}}}: `ssb` is the name that
the round's requests to `url` bear; it may have a `url` and a `token` of its own. Answers for each round its
writes in their order: ["state", site, state], ["slots", site, pending, running],
["tasks", site, [type], max, pending].
"""

import types

from stand_ins import answer, anything, module, question

Namespace = types.SimpleNamespace


class ResourceControl:
    """The agent's database, as far as the updater reads and writes it."""

    sites = None
    writes = None

    def __init__(self, config=None):
        pass

    def listSiteInfo(self):
        return []

    def listSitesSlots(self):
        keys = ("running_slots", "pending_slots", "state")
        return {name: {key: site[key] for key in keys} for name, site in self.sites.items()}

    def thresholdBySite(self, name):
        tasks = self.sites[name]["tasks"].items()
        return [{"task_type": task, "task_pending_slots": pending} for task, (_, pending) in tasks]

    def changeSiteState(self, site, state):
        self.writes.append(["state", site, state])

    def setJobSlotsForSite(self, site, pendingJobSlots, runningJobSlots):
        self.writes.append(["slots", site, pendingJobSlots, runningJobSlots])

    def insertThreshold(self, site, taskType, maxSlots, pendingSlots):
        types = [taskType] if isinstance(taskType, str) else list(taskType)
        self.writes.append(["tasks", site, types, maxSlots, pendingSlots])


class CRIC:
    def PSNtoPNNMap(self, pattern):
        return {}


class Base:
    def __init__(self):
        pass


module("oracledb", init_oracle_client=lambda *_, **__: None, version="0")
module("WMCore.ResourceControl.ResourceControl", ResourceControl=ResourceControl)
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


def run(asked, url):
    """Let the updater do one round."""
    settings = asked["settings"]
    watcher = Namespace(
        grafanaToken=asked.get("token", "Bearer token"),
        grafanaURL=asked.get("url", url),
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
    config = Namespace(
        AgentStatusWatcher=watcher,
        Agent=Namespace(teamName=settings["team"]),
        General=Namespace(centralWMStatsURL="none"),
        drain=asked["drain"],
    )
    if asked["tier0"]:
        config.Tier0Feeder = Namespace()
    ResourceControl.sites, ResourceControl.writes, Reader.reports = asked["sites"], [], asked["reports"]
    updating.ResourceControlUpdater(config).algorithm(None)
    return ResourceControl.writes


asked = question()
answer([run(one, asked["url"]) for one in asked["rounds"]])
