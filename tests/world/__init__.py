"""A small world outside the program: it counts what is done to it, so that tests can tell one effect from two."""
