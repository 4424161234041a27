"""The service's own figures: each declared in one row, counted by any process in cells that all share."""
