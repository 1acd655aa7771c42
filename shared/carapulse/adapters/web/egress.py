"""Where a request may go: listed addresses, by name and by number, settled before anything is sent."""

import ipaddress
import socket
from urllib.parse import urlsplit

from carapulse.tools.addresses import address_of
from carapulse.tools.errors import EgressRefused, ToolUnavailable
from carapulse.tools.ports import Request

_METADATA = (ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200"))


def destinations(request: Request) -> tuple[str, ...]:
    """Return the IP addresses that the request may be sent to, in the resolver's order, or raise EgressRefused.

    The name is resolved once, and the connection goes to the very addresses that were judged, so that a name that
    changes its mind in between leads nowhere.
    """
    address = address_of(request.url)
    if address not in request.may_reach:
        raise EgressRefused("the connection does not list this address", address=address)
    host, port = urlsplit(request.url).hostname, int(address.rsplit(":", 1)[1])
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ToolUnavailable("the name can't be resolved", address=address) from error
    numbers = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if request.may_be_private is not None and address not in request.may_be_private:
        for number in numbers:
            if not _is_public(number):
                raise EgressRefused("the name leads out of the public internet", address=address)
        return numbers
    for number in numbers:
        if _forbidden(number) and _written(number, port) not in request.may_reach:
            raise EgressRefused("the name leads to an address that is not for tools", address=address)
    return numbers


def _is_public(number: str) -> bool:
    """Say whether anybody may have this address; those that carry an IPv4 address in another form count as it."""
    ip = _read(number)
    if isinstance(ip, ipaddress.IPv6Address) and (ip.sixtofour or ip.teredo or ip.is_site_local):
        return False
    # Reserved are all that NAT64 and other translators carry an IPv4 address in; Python calls some of them global.
    return ip.is_global and not ip.is_reserved and not ip.is_multicast and not _forbidden(number)


def _read(number: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(number.partition("%")[0])
    return ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None else ip


def _forbidden(number: str) -> bool:
    """Say whether this is a link-local, metadata, multicast or unspecified address, also as IPv4 in IPv6."""
    ip = _read(number)
    return ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _METADATA


def _written(number: str, port: int) -> str:
    return f"[{number}]:{port}" if ":" in number else f"{number}:{port}"
