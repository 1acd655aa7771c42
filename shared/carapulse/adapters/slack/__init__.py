"""Slack: how messages look there, and the way to send one."""
