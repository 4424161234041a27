-- Ordered, because the table has no key: where a site and task type stand twice, the lower row comes first.
SELECT site_id, sub_type_id, max_slots, pending_slots
FROM rc_threshold
ORDER BY site_id, sub_type_id, max_slots, pending_slots
