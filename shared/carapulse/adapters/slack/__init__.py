"""Slack: events in the form that it shows people."""
