-- The jobs that have no site, by subscription and by the set of storages that hold any of their input.
-- Sets, because jobs have few different ones: a count of distinct (job, site) takes MariaDB many times longer.
-- Jobs of one input file go together by that file before its storages are looked up: the made-up input of a
-- simulation is at a hundred storages and belongs to thousands of jobs. Inside out:
--   waiting  one row per job, with the number of its input files and the first of them
--   pack     one row per job of several input files, or per subscription and only input file
--   bundle   the same with the set of storages
SELECT bundle.state, bundle.subscription, subscription.subtype, workflow.priority, bundle.storages,
       SUM(bundle.jobs) AS jobs
FROM (
    SELECT pack.state, pack.subscription, pack.jobs, SET_OF(copy.pnn) AS storages
    FROM (
        SELECT waiting.state, jobgroup.subscription,
               CASE WHEN waiting.inputs > 1 THEN waiting.id END AS job,
               CASE WHEN waiting.inputs = 1 THEN waiting.fileid END AS fileid,
               COUNT(*) AS jobs
        FROM (
            SELECT job.id, MIN(job.state) AS state, MIN(job.jobgroup) AS jobgroup,
                   COUNT(input.fileid) AS inputs, MIN(input.fileid) AS fileid
            FROM wmbs_job job
            LEFT JOIN wmbs_job_assoc input ON input.job = job.id
            WHERE job.location IS NULL
              AND job.state NOT IN (SELECT id FROM wmbs_job_state WHERE name IN ('killed', 'cleanout'))
            GROUP BY job.id
        ) waiting
        LEFT JOIN wmbs_jobgroup jobgroup ON jobgroup.id = waiting.jobgroup
        GROUP BY waiting.state, jobgroup.subscription,
                 CASE WHEN waiting.inputs > 1 THEN waiting.id END,
                 CASE WHEN waiting.inputs = 1 THEN waiting.fileid END
    ) pack
    LEFT JOIN wmbs_job_assoc input ON input.job = pack.job
    LEFT JOIN wmbs_file_location copy ON copy.fileid = COALESCE(pack.fileid, input.fileid)
    GROUP BY pack.state, pack.subscription, pack.job, pack.fileid, pack.jobs
) bundle
LEFT JOIN wmbs_subscription subscription ON subscription.id = bundle.subscription
LEFT JOIN wmbs_workflow workflow ON workflow.id = subscription.workflow
GROUP BY bundle.state, bundle.subscription, subscription.subtype, workflow.priority, bundle.storages
