"""Kills a worker at every commit and at every effect of a run, one after the other, and looks at what becomes of it."""
