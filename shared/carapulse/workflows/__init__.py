"""Workflows: recipes, as data, that turn a few inputs into the steps of a plan."""
