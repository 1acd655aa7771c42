"""Notifications: what happens is told to people where they are, by channels of their tenant."""
