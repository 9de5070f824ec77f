"""The address range that a record claims; quotas and eviction count by it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

from p2p.addresses import from_text

IP4, IP6 = 0x04, 0x29
# First bytes of IPv4 addresses of which some are not public; of all others every one is (IANA's special registry).
PARTLY_PUBLIC = frozenset({0, 10, 100, 127, 169, 172, 192, 198, 203, *range(240, 256)})
MAPPED = bytes(10) + b"\xff\xff"  # how an IPv6 address begins that is an IPv4 address
NOWHERE = b"-"  # the range of records without a public address, on a network where one is needed


def range_of(addrs: Iterable[bytes]) -> bytes | None:
    """The /24 (b"4" and 3 bytes) or /48 (b"6" and 6 bytes) of the first public address; None when there is none.

    `addrs` are binary multiaddrs. Private and loopback addresses have no range: they would put a whole local
    network into one group, and a daemon on the public network does not accept them anyway.
    """
    for addr in addrs:
        if len(addr) >= 5 and addr[0] == IP4 and _is_public(addr[1:4] + b"\x01"):
            return b"4" + addr[1:4]
        if len(addr) >= 17 and addr[0] == IP6 and addr[1:13] == MAPPED and _is_public(addr[13:16] + b"\x01"):
            return b"4" + addr[13:16]
        if len(addr) >= 17 and addr[0] == IP6 and _is_public(addr[1:9] + bytes(8)):
            return b"6" + addr[1:7]
    return None


@lru_cache(maxsize=4_096)
def _is_public(packed: bytes) -> bool:
    """Computed for one address per range: it is slow, and the same for the whole range."""
    return (len(packed) == 4 and packed[0] not in PARTLY_PUBLIC) or ip_address(packed).is_global


def range_of_text(multiaddrs: Iterable[str]) -> bytes | None:
    """The same for addresses as text; an unreadable address has no range."""
    addrs = []
    for text in multiaddrs:
        try:
            addrs.append(from_text(text))
        except ValueError:
            continue
    return range_of(addrs)
