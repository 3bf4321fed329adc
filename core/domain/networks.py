"""Which addresses are somebody's own network, and which of them an admin lets the desk call."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

IpAddress = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1: the same, long out of use
_PROTOCOLS_OWN = IPv4Network("192.0.0.0/24")  # RFC 6890; a cloud describes its machines there
_NAME = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,250}[a-z0-9_])?")


def where_it_leads(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that `address`, of IPv6, is another way to write; else itself."""
    if isinstance(address, IPv6Address):
        within = IPv4Address(int(address) & 0xFFFF_FFFF)
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
            return within
    return address


def is_public(address: IpAddress) -> bool:
    """Say whether everybody on the internet means the same machine by `address`.

    Not so are loopback, private, shared (RFC 6598) and link-local networks, where clouds tell
    machines their secrets, and what names no single machine.
    """
    real = where_it_leads(address)
    is_old_site = isinstance(real, IPv6Address) and real.is_site_local
    is_special = real.is_multicast or real.is_reserved or real in _PROTOCOLS_OWN or is_old_site
    return real.is_global and not is_special


def address_in(host: str) -> IpAddress | None:
    """Return the address that `host` says itself, however it is written, or None if it is a name.

    `localhost` and names below it are one, too: they mean whoever looks them up (RFC 6761).
    """
    bare = host.lower().rstrip(".")
    if bare == "localhost" or bare.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(bare)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(bare))  # `0x7f.1`, `2130706433`
    except (OSError, UnicodeError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnHosts:
    """Hosts and networks of an admin's own that may be called though they are not public."""

    names: frozenset[str] = frozenset()  # `crm.internal`; `*.corp.example` for all below it
    networks: Sequence[IPv4Network | IPv6Network] = ()

    def allow(self, host: str, address: IpAddress) -> bool:
        """Say whether `address`, which is where `host` leads, may be called."""
        if is_public(address) or self._has_name(host.lower().rstrip(".")):
            return True
        return self._has_address(address)

    def name(self, host: str) -> bool:
        """Say whether `host`, a name or an address, is one of them; nothing is looked up."""
        address = address_in(host)
        is_listed = address is not None and self._has_address(address)
        return is_listed or self._has_name(host.lower().rstrip("."))

    def _has_address(self, address: IpAddress) -> bool:
        real = where_it_leads(address)
        return any(real in network for network in self.networks)

    def _has_name(self, host: str) -> bool:
        above = host.split(".")[1:]
        return host in self.names or any(
            f"*.{'.'.join(above[n:])}" in self.names for n in range(len(above))
        )


def own_hosts(words: str) -> OwnHosts:
    """Read names, addresses and networks with commas between them.

    Raises:
        ValueError: one of them is none of these; the message says which.
    """
    names: set[str] = set()
    networks: list[IPv4Network | IPv6Network] = []
    for part in filter(None, (part.strip().lower() for part in words.split(","))):
        try:
            networks.append(ip_network(part))
        except ValueError:
            if "/" in part or _is_all_digits(part) or not _NAME.fullmatch(part):
                raise ValueError(
                    f"{part[:60]!r} is no host name, address or network such as 10.1.0.0/16"
                ) from None
            names.add(part.rstrip("."))
    return OwnHosts(names=frozenset(names), networks=tuple(networks))


def _is_all_digits(part: str) -> bool:
    return not part.strip("0123456789.")
