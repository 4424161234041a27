SELECT component_id, name, state, last_updated, poll_interval, cycle_time, pid, last_error, outcome,
       error_message
FROM wm_workers
