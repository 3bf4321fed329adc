"""What of a remote address tells one subscriber from another."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

_IPV6_SITE_BITS = 64  # what one subscriber gets: whoever has one address has them all


def address_of(remote: str) -> IPv4Address | IPv6Address | None:
    """Return `remote` as an address, one of IPv4 written as IPv6 as IPv4; None if it is none."""
    try:
        address = ip_address(remote)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def place_of(address: IPv4Address | IPv6Address) -> str:
    """Return what attempts from `address` are counted under: of IPv6, its /64 network."""
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> _IPV6_SITE_BITS << _IPV6_SITE_BITS))
    return str(address)


def is_this_machine(remote: str | None) -> bool:
    """Say whether `remote`, None for a Unix socket, is a program beside the desk."""
    if remote is None:
        return True
    address = address_of(remote)
    return address is not None and address.is_loopback
