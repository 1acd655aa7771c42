"""The address of a database, as people and providers write it, and what the driver must be told."""

import ssl
from collections.abc import Callable
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from carapulse.kernel.errors import Invalid

_SCHEMES = {"postgresql+pg8000", "postgresql", "postgres"}
_PLAIN_MODES: dict[str, bool | None] = {"disable": False, "prefer": None, "require": True}


def parse_address(url: str) -> tuple[URL, dict[str, Any]]:
    """Return the address and the driver's arguments; Invalid, which never shows the password, for any other text."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise Invalid("the database address is not a URL") from error
    if address.drivername not in _SCHEMES:
        raise Invalid("the database address must begin with postgresql://", scheme=address.drivername)
    query = dict(address.query)
    arguments: dict[str, Any] = {}
    if "unix_sock" in query:
        arguments |= {"unix_sock": query.pop("unix_sock"), "ssl_context": False}  # nobody listens in on a socket
    else:
        arguments["ssl_context"] = _trust(str(query.pop("sslmode", "prefer")), query.pop("sslrootcert", None))
    if query:
        raise Invalid("the database address has parts that are not understood", names=sorted(query))
    return address.set(drivername="postgresql+pg8000", query={}), arguments


def refuse_careless(url: str) -> None:
    """Refuse an address to which a token would be sent by a way that others may hear, or beside a password."""
    address, arguments = parse_address(url)
    if not isinstance(arguments["ssl_context"], ssl.SSLContext):
        raise Invalid("a token goes only to a server that proves itself: the address needs sslmode=verify-full")
    if address.password is not None or not address.username or not address.host:
        raise Invalid("with tokens the database address names a user and a host, and no password")


def with_token(url: str, token_of: Callable[[str, int, str], str]) -> str:
    """Return the address with what proves its user to its host and port at this moment."""
    address = make_url(url)
    token = token_of(address.host or "", address.port or 5432, address.username or "")
    return address.set(password=token).render_as_string(hide_password=False)


def _trust(mode: str, authorities: Any) -> ssl.SSLContext | bool | None:  # noqa: ANN401 - a part of a URL
    """Return what the driver takes for a mode of libpq; `verify-full` also checks the server's name."""
    if mode == "verify-full":
        try:
            return ssl.create_default_context(cafile=authorities)
        except OSError as error:
            raise Invalid("the database's certificate authorities can't be read", file=str(authorities)) from error
    if mode not in _PLAIN_MODES:
        raise Invalid("sslmode must be disable, prefer, require or verify-full", sslmode=mode)
    return _PLAIN_MODES[mode]
