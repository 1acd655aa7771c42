"""How a setting names a secret that lies elsewhere."""

REFERENCE = r"^(aws|gcp|vault|env|file):\S+$"
"""A reference: the store, and the place in it."""
