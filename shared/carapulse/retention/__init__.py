"""Retention: room for what comes, and the end of what is old enough to go."""
