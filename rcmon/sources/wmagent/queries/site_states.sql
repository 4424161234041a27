SELECT id, name FROM wmbs_location_state
