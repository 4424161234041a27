-- The active batch rows, by what their jobs are. Of several active rows of one job the one with the highest
-- retry_count speaks, then the one with the highest id. Only outer joins: they keep the order in which the
-- tables are read (MariaDB otherwise starts from the subscriptions and takes minutes), and show what points
-- nowhere.
WITH active AS (
    SELECT wmbs_id, sched_status,
           ROW_NUMBER() OVER (PARTITION BY wmbs_id ORDER BY COALESCE(retry_count, -1) DESC, id DESC) AS turn
    FROM bl_runjob
    WHERE status = '1'
)
SELECT CASE WHEN active.turn = 1 THEN 1 ELSE 0 END AS speaks,
       CASE WHEN job.id IS NULL THEN 0 ELSE 1 END AS has_job,
       job.state, job.location, subscription.subtype, workflow.priority, active.sched_status, workflow.id,
       COUNT(*) AS batch_rows
FROM active
LEFT JOIN wmbs_job job ON job.id = active.wmbs_id
LEFT JOIN wmbs_jobgroup jobgroup ON jobgroup.id = job.jobgroup
LEFT JOIN wmbs_subscription subscription ON subscription.id = jobgroup.subscription
LEFT JOIN wmbs_workflow workflow ON workflow.id = subscription.workflow
GROUP BY CASE WHEN active.turn = 1 THEN 1 ELSE 0 END, CASE WHEN job.id IS NULL THEN 0 ELSE 1 END,
         job.state, job.location, subscription.subtype, workflow.priority, active.sched_status, workflow.id
