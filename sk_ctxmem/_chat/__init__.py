"""Chat program of the command line. May import all rooms that `_classifier` may, and it."""
