"""Which addresses may be dialled. Our own list: what the standard library calls global changes with its version.

Nobody outside should be able to make this server talk to its own machine, its network or its cloud's metadata. Sources:
the IANA special-purpose address registries (RFC 6890 and its successors); addresses that carry another one inside
(mapped, compatible, NAT64, 6to4, Teredo, ISATAP) are refused altogether: no CRM is reached by them.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_DENIED_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
            "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_ALLOWED_V6 = IPv6Network("2000::/3")
"""Unicast that is routed; all else (loopback, local, multicast, mapped, NAT64…) lies outside of it."""
_DENIED_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")))
_ISATAP = (0x00005EFE, 0x02005EFE)
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)
_NAME = re.compile(r"(?=.{1,253}\.?$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z][a-z0-9_-]*\.?", re.IGNORECASE)


def is_denied(address: Address) -> bool:
    """Whether nobody outside may be the reason for dialling this address."""
    if isinstance(address, IPv4Address):
        return any(address in network for network in _DENIED_V4)
    if address not in _ALLOWED_V6 or any(address in network for network in _DENIED_V6):
        return True
    return (int(address) >> 32) & 0xFFFFFFFF in _ISATAP


def is_host(host: str) -> bool:
    """Whether a host is written as everybody writes it: a name, four decimal numbers, or a plain IPv6 address.

    `2130706433`, `0x7f.1`, `127.1` and `0177.0.0.1` all mean 127.0.0.1 to some resolver, and to no honest person.
    """
    if ":" in host:
        return "%" not in host and literal(host) is not None
    if _NUMERIC.fullmatch(host):
        parsed = literal(host)
        return parsed is not None and str(parsed) == host
    return _NAME.fullmatch(host) is not None


def literal(host: str) -> Address | None:
    """The address that a host is; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


class Allowed(NamedTuple):
    """What the operator lets us dial although it is denied: networks, and hosts with or without a port."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[tuple[str, int | None]] = frozenset()

    def host(self, host: str, port: int) -> bool:
        """Whether this very host was named."""
        name = host.lower().rstrip(".")
        return (name, None) in self.hosts or (name, port) in self.hosts

    def address(self, address: Address) -> bool:
        """Whether a network was named that the address is in."""
        return any(address in network for network in self.networks if network.version == address.version)


def allowed_of(entries: Iterable[str]) -> Allowed:
    """Read `10.1.0.0/16`, `crm.internal`, `crm.internal:8443`, `[::1]:9000`. Raises ValueError for anything else."""
    networks: list[Network] = []
    hosts: set[tuple[str, int | None]] = set()
    for entry in entries:
        if "/" in entry:
            networks.append(ip_network(entry))
            continue
        parts = urlsplit(f"//{entry}")
        name = (parts.hostname or "").rstrip(".")
        if not is_host(name) or parts.username is not None:
            raise ValueError(entry)
        hosts.add((name, parts.port))
    return Allowed(tuple(networks), frozenset(hosts))
