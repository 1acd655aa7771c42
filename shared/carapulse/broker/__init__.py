"""Brokers of clouds: how a message that Postgres holds gets to a function, and how it is believed there."""
