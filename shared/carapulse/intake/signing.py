"""Proof of origin: Standard Webhooks 1.0.0 signatures (https://www.standardwebhooks.com), or a token in the path."""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from carapulse.intake.errors import SourceRefused
from carapulse.kernel.record import Record

TOLERANCE_S = 300
"""Seconds that the sender's clock and ours may differ."""

_SIGNING_MARK = "whsec_"
_PATH_MARK = "whpath_"  # lets the redaction of logs know it in an address
_SECRET_BYTES = 32
_TOKEN_BYTES = 32
_MOST_SIGNATURES = 16
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


class SignatureHeaders(Record):
    """The three headers of a Standard Webhooks message, as they came; None where one is missing."""

    id: str | None = None
    timestamp: str | None = None
    signature: str | None = None


def new_secret() -> str:
    """Return a fresh signing secret: `whsec_` and the base64 of 32 random bytes."""
    return _SIGNING_MARK + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def new_token() -> str:
    """Return a fresh path token that no one can guess."""
    return _PATH_MARK + secrets.token_hex(_TOKEN_BYTES)


def token_digest(token: str) -> str:
    """Return what is kept of a path token; its 256 random bits need no slow hash."""
    return sha256(token.encode()).hexdigest()


def sign(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    """Return the `v1,…` signature of a message, as a sender makes it."""
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode("ascii")


def verify_signature(headers: SignatureHeaders, body: bytes, secrets_now: Iterable[str], at: datetime) -> str:
    """Return the webhook-id of a message that one of the secrets signed just now, or raise SourceRefused.

    An id with a dot is refused: id, timestamp and body are joined by dots, so it could be read in two ways.
    """
    webhook_id, timestamp = headers.id or "", headers.timestamp or ""
    if not (_ID.fullmatch(webhook_id) and _TIMESTAMP.fullmatch(timestamp)):
        raise SourceRefused("webhook-id or webhook-timestamp is missing or malformed")
    if abs(at.timestamp() - int(timestamp)) > TOLERANCE_S:
        raise SourceRefused("webhook-timestamp is more than five minutes from our clock")
    given = (headers.signature or "").split(" ")[:_MOST_SIGNATURES]
    expected = [sign(secret, webhook_id, timestamp, body) for secret in secrets_now]
    if not _any_equal(expected, given):
        raise SourceRefused("no secret that holds made any of the signatures")
    return webhook_id


def verify_token(token: str, digests: Iterable[str]) -> None:
    """Return if one of the digests is this token's, or raise SourceRefused."""
    if not _any_equal(list(digests), [token_digest(token)]):
        raise SourceRefused("no token that holds is this one")


def _any_equal(expected: list[str], given: list[str]) -> bool:
    """Compare every pair, each in constant time, so that the time tells nothing about which one was close."""
    pairs = [hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in given]
    return any(pairs)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_SIGNING_MARK), validate=True)
    except binascii.Error as error:
        raise ValueError("a signing secret is base64") from error
