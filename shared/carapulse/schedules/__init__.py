"""Schedules: what is to be asked for again and again, when, and what came of it."""
