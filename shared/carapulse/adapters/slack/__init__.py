"""Slack: how events, plans and answers look there, and the way to send one."""
