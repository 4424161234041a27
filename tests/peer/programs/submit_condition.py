"""WMCore's own JobSubmitter, asked whether it submits a job.

Asks {overflow, thresholds: what listThresholdsForSubmit gives, jobs: [[priority, site, task type]]}, answers
with what `_getJobSubmitCondition` says of each.
"""

from stand_ins import answer, anything, question

anything(
    "Utils.wmcoreDTools",
    "WMComponent.JobSubmitter.JobSubmitAPI",
    "WMCore.BossAir.BossAirAPI",
    "WMCore.DAOFactory",
    "WMCore.DataStructs.JobPackage",
    "WMCore.FwkJobReport.Report",
    "WMCore.JobStateMachine.ChangeState",
    "WMCore.ResourceControl.ResourceControl",
    "WMCore.Services.ReqMgr.ReqMgr",
    "WMCore.Services.ReqMgrAux.ReqMgrAux",
    "WMCore.Services.TagCollector.TagCollector",
    "WMCore.WorkerThreads.BaseWorkerThread",
)


from WMComponent.JobSubmitter.JobSubmitterPoller import JobSubmitterPoller  # noqa: E402

asked = question()
poller = JobSubmitterPoller.__new__(JobSubmitterPoller)
# as its constructor sets them, which needs a whole agent
poller.ioboundTypes = ("LogCollect", "Merge", "Cleanup", "Harvesting")
poller.condorOverflowFraction = asked["overflow"]
poller.currentRcThresholds = asked["thresholds"]
answer([poller._getJobSubmitCondition(*job) for job in asked["jobs"]])
