"""Where a peer comes from, by the other end of its connection: shared by identities, which cost nothing."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network


@lru_cache(maxsize=4_096)
def range_of_host(host: str | None) -> bytes | None:
    """The /24 (b"4" and 3 bytes) or /48 (b"6" and 6 bytes) of an IP address as text; None unless it is a public one."""
    if host is None:
        return None
    try:
        ip = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if not ip.is_global:
        return None
    return b"4" + ip.packed[:3] if ip.version == 4 else b"6" + ip.packed[:6]


def range_or_host(host: str) -> bytes:
    """The range of a host, or on a private network the host itself: what counts as one where nobody has a name yet."""
    return range_of_host(host) or host.encode()


def source_of(peer: bytes, host: str | None, relay: bytes | None = None) -> bytes:
    """The range of a peer's host; on a private network, where many live behind few addresses, each peer is its own.

    `host` is that of the relay for a peer that comes through one; all of one relay share its range, or its id.
    """
    return range_of_host(host) or relay or peer


def source_of_ip(ip: str) -> str:
    """What counts as one source of connections: an IPv4 address, or the 64 bits of IPv6 that every subscriber has."""
    address = ip_address(ip)
    if address.version == 4:
        return ip
    return str(address.ipv4_mapped or ip_network((int(address) >> 64 << 64, 64)))
