"""Executions: an approved plan becomes steps that are done, verified, and undone when they did not help."""
