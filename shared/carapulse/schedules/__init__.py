"""Schedules: what is to be asked for again and again, and when. Keeping them is all that is done here."""
