SELECT state, COUNT(*) FROM wmbs_job GROUP BY state
