-- The jobs that have a site and may still need a slot there. The states left out are WMCore's
-- (ListThresholdsForCreate). Outer joins for the same reason as in active_jobs.
SELECT job.state, job.location, subscription.subtype, workflow.priority, COUNT(*) AS jobs
FROM wmbs_job job
LEFT JOIN wmbs_jobgroup jobgroup ON jobgroup.id = job.jobgroup
LEFT JOIN wmbs_subscription subscription ON subscription.id = jobgroup.subscription
LEFT JOIN wmbs_workflow workflow ON workflow.id = subscription.workflow
WHERE job.location IS NOT NULL AND job.state IN (
    SELECT id FROM wmbs_job_state
    WHERE name NOT IN ('success', 'complete', 'exhausted', 'cleanout', 'killed')
)
GROUP BY job.state, job.location, subscription.subtype, workflow.priority
