-- Jobs without a site, by subscription and by the set of storages that hold any of their input. Written as
-- sets, because jobs have few different ones: a count of distinct (job, site) takes MariaDB ten times longer.
SELECT jobgroup.subscription, workflow.priority, waiting.storages, COUNT(*) AS jobs
FROM (
    SELECT job.id, job.jobgroup, SET_OF(copy.pnn) AS storages
    FROM wmbs_job job
    LEFT JOIN wmbs_job_assoc input ON input.job = job.id
    LEFT JOIN wmbs_file_location copy ON copy.fileid = input.fileid
    WHERE job.location IS NULL
      AND job.state NOT IN (SELECT id FROM wmbs_job_state WHERE name IN ('killed', 'cleanout'))
    GROUP BY job.id, job.jobgroup
) waiting
LEFT JOIN wmbs_jobgroup jobgroup ON jobgroup.id = waiting.jobgroup
LEFT JOIN wmbs_subscription subscription ON subscription.id = jobgroup.subscription
LEFT JOIN wmbs_workflow workflow ON workflow.id = subscription.workflow
GROUP BY jobgroup.subscription, workflow.priority, waiting.storages
