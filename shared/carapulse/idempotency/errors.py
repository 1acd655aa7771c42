"""What can be wrong with a key, or with the request that it was given to."""

from http import HTTPStatus

from carapulse.kernel.errors import Conflict, Invalid


class KeyMissing(Invalid):
    """The request starts work, and must say under which key, so that it can be sent again."""

    code = "idempotency-key-missing"
    status = HTTPStatus.BAD_REQUEST


class KeyMalformed(Invalid):
    """The key is not one string or token of 1 to 255 visible characters."""

    code = "idempotency-key-malformed"
    status = HTTPStatus.BAD_REQUEST


class KeyReused(Invalid):
    """The key was given to another request; a new request needs a new key."""

    code = "idempotency-key-reused"


class KeyInUse(Conflict):
    """The first request with this key is still being worked on."""

    code = "idempotency-key-in-use"
    retryable = True


class AttemptTakenOver(Conflict):
    """The request took so long that a later one with its key took its place; nothing was written by this one."""

    code = "idempotency-attempt-taken-over"


class AnswerLost(Conflict):
    """The first request changed something and its answer was lost: look for what it did, and don't repeat it."""

    code = "idempotency-answer-lost"


class AnswerSecret(Conflict):
    """The first request was answered with a secret, which is shown once."""

    code = "idempotency-answer-secret"


class AnswerTooLarge(Conflict):
    """The first request was answered with more than is kept."""

    code = "idempotency-answer-too-large"
