"""The collector's side: one cycle per interval, from sources to a stored snapshot."""
