"""HTTP clients for servers of the test's own."""

import ssl
from typing import Any

import httpx

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it trusts nobody: reading the system's authorities takes 40 ms


def a_client(base_url: str, **more: Any) -> httpx.Client:
    """Return a client that only speaks plain HTTP."""
    return httpx.Client(base_url=base_url, trust_env=False, verify=_NO_TLS, **more)
