"""Files that change: looked at, read within bounds, followed without a restart."""
