"""Resealing: everything that a former key sealed is sealed by the newest, so that the former can go."""
