"""Where a request may go, as `host:port`."""

from urllib.parse import urlsplit

from carapulse.tools.errors import InputRefused

_PORTS = {"http": 80, "https": 443}


def address_of(url: str) -> str:
    """Return `host:port` of a URL, in lower case, or raise InputRefused for what is no plain HTTP address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputRefused("not an address") from error
    if parts.scheme not in _PORTS or not host or parts.username is not None or parts.password is not None:
        raise InputRefused("an address is http(s)://host[:port]/…, without credentials")
    bracketed = f"[{host}]" if ":" in host else host
    return f"{bracketed}:{port or _PORTS[parts.scheme]}"
