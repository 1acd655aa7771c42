"""Carapulse: governed change for people who run systems."""
