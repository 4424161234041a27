SELECT id, name FROM bl_status
