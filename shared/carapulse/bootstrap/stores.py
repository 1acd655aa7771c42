"""Where secrets are read from."""

from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.settings import environment


def secrets_of() -> LocalSecrets:
    """Return what reads secrets by reference; a store is asked at each use."""
    return LocalSecrets(environment(), {"aws": _managed_secret})


def _managed_secret(place: str) -> str:
    from carapulse.adapters.aws.secrets import ManagedSecrets  # noqa: PLC0415 - boto3 takes long to import

    return ManagedSecrets.connect().read(place)
