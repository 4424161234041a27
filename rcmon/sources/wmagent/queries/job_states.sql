SELECT id, name FROM wmbs_job_state
