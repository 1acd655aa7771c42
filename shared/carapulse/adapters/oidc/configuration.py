"""The file of issuers."""

from pathlib import Path

from carapulse.identity.errors import IssuersInvalid
from carapulse.identity.issuers import IssuersFile, TrustedIssuer, contradictions
from carapulse.tools.loading import parsed, read_document


def load_issuers(path: Path) -> tuple[TrustedIssuer, ...]:
    """Return the issuers of a YAML or JSON file, or raise IssuersInvalid with every fault and its place."""
    file, faults = parsed(IssuersFile, read_document(path, IssuersInvalid))
    if file is None or (faults := tuple(contradictions(file.issuers))):
        raise IssuersInvalid("the issuers can't be used", faults=faults, file=path.name)
    return file.issuers
