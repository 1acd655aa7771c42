"""Audit: the event log as evidence. Chained per stream, covered by signed checkpoints, provable without us."""
