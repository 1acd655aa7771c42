"""migrate: a job that brings the database to the newest migration, and makes the keys of a new installation."""

from typing import Any

from carapulse.runtime.measured import measured
from carapulse.runtime.migrating import migrate_installation


@measured("migrate")
def lambda_handler(_event: dict[str, Any], _context: object) -> None:
    """Migrate when a deployment invokes it."""
    migrate_installation()


if __name__ == "__main__":
    migrate_installation()
