# ruff: noqa: N802, N803 - the names are WMCore's
"""Rounds of WMCore's own ResourceControlUpdater, each over an agent of its own.

Asks {url, rounds: [round]}; a round is {ssb, settings, tier0, drain, reports: [agent_info],
sites: {name: {state, running_slots, pending_slots, tasks: {type: [max, pending]}}}}: `ssb` is the name that
the round's requests to `url` bear; it may have a `url` and a `token` of its own. Answers for each round its
writes in their order: ["state", site, state], ["slots", site, pending, running],
["tasks", site, [type], max, pending].
"""

from stand_ins import answer, module, question


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


module("WMCore.ResourceControl.ResourceControl", ResourceControl=ResourceControl)

from rounds import update  # noqa: E402


def run(asked, url):
    """Let the updater do one round; what it wrote."""
    ResourceControl.sites, ResourceControl.writes = asked["sites"], []
    update(asked, asked.get("url", url), asked.get("token", "Bearer token"))
    return ResourceControl.writes


asked = question()
answer([run(one, asked["url"]) for one in asked["rounds"]])
