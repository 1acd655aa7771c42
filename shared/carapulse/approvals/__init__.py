"""Approvals: who agreed to exactly which plan, until when, for one run."""
