"""Live: what has just happened, to everybody who follows the log, in the order of the log."""
