"""What can be wrong with a request before any area sees it."""

from http import HTTPStatus

from carapulse.kernel.errors import Invalid, NotFound, Problem


class RequestInvalid(Invalid):
    """The request doesn't have the shape that the route asks for."""

    code = "invalid-request"


class NoSuchRoute(NotFound):
    """Nothing is served under this path."""

    code = "no-such-route"


class MethodNotAllowed(Invalid):
    """Something is served under this path, but not with this method."""

    code = "method-not-allowed"
    status = HTTPStatus.METHOD_NOT_ALLOWED


class ContentTypeUnsupported(Invalid):
    """The body is not said to be JSON in UTF-8, or is encoded."""

    code = "content-type-unsupported"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class NotAcceptable(Invalid):
    """The answer can't be had in any media type that the request accepts."""

    code = "not-acceptable"
    status = HTTPStatus.NOT_ACCEPTABLE


class OriginRefused(Invalid):
    """A page of this origin may not make this request from a browser."""

    code = "origin-refused"
    status = HTTPStatus.BAD_REQUEST


class MalformedUrl(Invalid):
    """The address holds characters that no address may hold."""

    code = "malformed-url"
    status = HTTPStatus.BAD_REQUEST


class BodyTooSlow(Invalid):
    """The body did not arrive in time."""

    code = "body-too-slow"
    status = HTTPStatus.REQUEST_TIMEOUT
    retryable = True


class Refused(Problem):
    """The framework refused the request for a reason that has no narrower name here."""

    code = "refused"
    status = HTTPStatus.BAD_REQUEST


class InternalError(Problem):
    """A defect of ours. The caller gets the trace id, the log gets the rest."""

    code = "internal-error"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
