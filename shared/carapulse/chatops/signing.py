"""Proof of origin: Slack's signature, version 0 (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""

import hmac
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from carapulse.chatops.errors import ChatRefused
from carapulse.kernel.record import Record

TOLERANCE_S = 300
"""Seconds that Slack's clock and ours may differ."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


class SlackHeaders(Record):
    """The two headers of a signed request, as they came; None where one is missing."""

    timestamp: str | None = None
    signature: str | None = None


class Proven(Record):
    """What is kept of a signature so that it is good once: its digest, and until when it could be shown again."""

    digest: str
    until: datetime


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the `v0=…` signature of a request, as Slack makes it."""
    signed = b":".join((b"v0", timestamp.encode(), body))
    return "v0=" + hmac.digest(secret.encode(), signed, "sha256").hex()


def verify(headers: SlackHeaders, body: bytes, secret: str, at: datetime) -> Proven:
    """Return what is to be remembered of a request that was signed just now, or raise ChatRefused."""
    timestamp, signature = headers.timestamp or "", headers.signature or ""
    if not _TIMESTAMP.fullmatch(timestamp):
        raise ChatRefused("X-Slack-Request-Timestamp is missing or malformed")
    if abs(at.timestamp() - int(timestamp)) > TOLERANCE_S:
        raise ChatRefused("X-Slack-Request-Timestamp is more than five minutes from our clock")
    expected = sign(secret, timestamp, body)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise ChatRefused("the registered secret did not make X-Slack-Signature")
    # Twice the tolerance: another process's clock may be behind the one that let the request go.
    until = datetime.fromtimestamp(int(timestamp), UTC) + timedelta(seconds=2 * TOLERANCE_S)
    return Proven(digest="sha256:" + sha256(expected.encode()).hexdigest(), until=until)
