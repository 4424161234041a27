-- All jobs that may still need a slot. The states left out are WMCore's (ListThresholdsForCreate).
SELECT job.state, job.location, subscription.subtype, workflow.priority, COUNT(*) AS jobs
FROM wmbs_job job
LEFT JOIN wmbs_jobgroup jobgroup ON jobgroup.id = job.jobgroup
LEFT JOIN wmbs_subscription subscription ON subscription.id = jobgroup.subscription
LEFT JOIN wmbs_workflow workflow ON workflow.id = subscription.workflow
WHERE job.state IN (
    SELECT id FROM wmbs_job_state
    WHERE name NOT IN ('success', 'complete', 'exhausted', 'cleanout', 'killed')
)
GROUP BY job.state, job.location, subscription.subtype, workflow.priority
