"""What can go wrong with API keys."""

from carapulse.kernel.errors import Conflict, Denied, Invalid, NotFound


class ApiKeyNotFound(NotFound):
    """No key with that id for this tenant."""

    code = "api-key-not-found"


class ApiKeyOver(Conflict):
    """A key that is revoked, expired or replaced has no further successor."""

    code = "api-key-over"


class GrantExceeded(Denied):
    """Nobody gives a key more than they may do themselves."""

    code = "grant-exceeded"


class ExpiryInvalid(Invalid):
    """A key ends within a year, and not before it begins."""

    code = "expiry-invalid"
