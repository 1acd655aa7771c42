"""Tools: what can be done to other systems, as data, and the one way to do it."""
