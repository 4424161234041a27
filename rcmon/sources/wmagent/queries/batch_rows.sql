SELECT status, sched_status, COUNT(*) FROM bl_runjob GROUP BY status, sched_status
