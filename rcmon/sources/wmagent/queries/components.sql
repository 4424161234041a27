SELECT id, name, pid, update_threshold FROM wm_components
