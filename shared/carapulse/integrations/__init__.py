"""Integrations: one folder is one outside system, its actions as data, Python only where data can't say it."""

from pathlib import Path


def builtin_manifests() -> tuple[Path, ...]:
    """Return the manifest file of every system that comes with the program."""
    return tuple(sorted(Path(__file__).parent.glob("*/manifest.yaml")))
