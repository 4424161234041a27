SELECT id, site_name, state, state_time, cms_name, plugin, running_slots, pending_slots
FROM wmbs_location
ORDER BY id
