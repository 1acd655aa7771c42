"""Addresses of issuers: encrypted, or on this machine; and of the accounts that they vouch for."""

import ipaddress
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, StringConstraints


def is_safe(url: str) -> bool:
    """Return whether this is an https address, or an http address of this machine; neither holds credentials."""
    parts = _split(url)
    if parts is None or not parts.hostname or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))


def leads_no_lower(url: str, origin: str) -> bool:
    """Return whether an address that was learnt from another is safe, and no way down from https to http."""
    return is_safe(url) and (url.startswith("https:") or origin.startswith("http:"))


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is no port
    except ValueError:
        return None
    return parts if url.isprintable() and " " not in url else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked(url: str) -> str:
    if not is_safe(url):
        raise ValueError("an issuer is an https:// address; http:// is for this machine alone")
    if "?" in url or "#" in url:
        raise ValueError("an issuer's address has neither a query nor a fragment")
    return url


IssuerUrl = Annotated[str, StringConstraints(max_length=512), AfterValidator(_checked)]
"""The name of an issuer, exactly as it stands in its tokens."""

GOOGLE: Final = "https://accounts.google.com"
"""Who signs the tokens of Pub/Sub's push subscriptions and of Cloud Scheduler's jobs."""

Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,189}$")]
