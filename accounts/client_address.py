"""The address a request really came from, behind proxies or not. A forged header never wins.

Used for rate limits and the list of own sessions, over HTTP and at the socket's upgrade.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings


def client_address(peer: str | None, forwarded_for: str | None) -> str | None:
    """The right-most address that is not one of `TRUSTED_PROXIES`.

    ``peer``: who opened the connection. ``forwarded_for``: the X-Forwarded-For header; only what
    trusted proxies wrote in it is believed. None when the connection has no address.
    """
    address = _parse(peer)
    if address is None:
        return None
    hops = [_parse(hop) for hop in (forwarded_for or "").split(",")]
    while hops and is_trusted_proxy(address):
        hop = hops.pop()
        if hop is None:
            break
        address = hop
    return str(address)


def client_network(address: str) -> str:
    """Who counts as one client in limits and in the list of sessions.

    An IPv4 address is one; of IPv6 a household or a server has at least a /64, from which it can
    take a new address for every request: the first address of that network stands for all.
    """
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(ip_network((parsed, 64), strict=False).network_address)


def is_trusted_proxy(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is named by `TRUSTED_PROXIES`, alone or by its network."""
    proxies: Sequence[str] = settings.TRUSTED_PROXIES
    return any(address in ip_network(proxy, strict=False) for proxy in proxies)


def comes_from_trusted_proxy(peer: str | None) -> bool:
    """Whether the X-Forwarded headers of a connection may be believed."""
    address = _parse(peer)
    return address is not None and is_trusted_proxy(address)


def _parse(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address((text or "").strip())
    except ValueError:
        return None
    # ::ffff:192.0.2.1 is the IPv4 peer of a socket that listens on both.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
