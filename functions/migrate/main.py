"""migrate: a job that brings the database to the newest migration, and makes the keys of a new installation."""

from typing import Any

from carapulse.runtime.measured import measured
from carapulse.runtime.migrating import do_job, migrate_installation


@measured("migrate")
def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Migrate when a deployment invokes it; seal everything anew when an operator sends {"do": "reseal"}."""
    return do_job(event)


if __name__ == "__main__":
    migrate_installation()
