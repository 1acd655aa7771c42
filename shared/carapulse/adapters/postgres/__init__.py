"""Postgres: connections, the unit of work, the event log and the queue."""
