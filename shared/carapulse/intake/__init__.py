"""Intake: what outside systems report, taken in by registered sources and turned into plans that people judge."""
