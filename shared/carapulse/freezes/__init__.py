"""Freezes and maintenance windows: when people forbid changes, and when alone they allow them."""
