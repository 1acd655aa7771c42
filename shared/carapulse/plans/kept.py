"""A version of a plan as it is kept: a text in JSON, and the digest that it must have."""

from carapulse.kernel.canonical import digest_of_text
from carapulse.kernel.errors import Invalid
from carapulse.plans.model import PlanVersion
from carapulse.rows import corrupt_row, read_text


def kept_version(body: str, digest: str | None, row_id: str) -> PlanVersion:
    """Return the version that a text says, or raise CorruptRow if it is not the one that was kept."""
    if _digest(body) != digest:
        raise corrupt_row("plan_versions", row_id, "its digest is another one")
    return read_text(PlanVersion, body, table="plan_versions", row_id=row_id)


def _digest(body: str) -> str | None:
    """Return the digest of a stored body, or None if it holds what has no canonical form or what no reader can hold."""
    try:
        return digest_of_text(body)
    except (Invalid, ValueError, RecursionError):
        return None
