"""THE FRONT DESK: the names that users call."""
