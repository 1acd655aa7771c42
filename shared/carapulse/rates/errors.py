"""What can be wrong with how often somebody asks."""

from http import HTTPStatus

from carapulse.kernel.errors import Unavailable


class RateLimited(Unavailable):
    """The caller asked too often; it may again after the seconds that are named."""

    code = "rate-limited"
    status = HTTPStatus.TOO_MANY_REQUESTS
