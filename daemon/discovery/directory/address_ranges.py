"""The address range a record says it lives in: quotas and eviction count by it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

from p2p.addresses import from_text

IP4, IP6 = 0x04, 0x29
NOWHERE = b"-"  # the range of those that name no public address, where only such can be dialled


def range_of(addrs: Iterable[bytes]) -> bytes | None:
    """The /24 (b"4" and 3 bytes) or /48 (b"6" and 6 bytes) of the first public address; None when there is none.

    `addrs` are binary multiaddrs. Private and loopback addresses make no range: they would put a whole laboratory
    into one group, and a daemon on the open network does not accept them anyway.
    """
    for addr in addrs:
        if len(addr) >= 5 and addr[0] == IP4 and _is_public(addr[1:4] + b"\x01"):
            return b"4" + addr[1:4]
        if len(addr) >= 17 and addr[0] == IP6 and _is_public(addr[1:9] + bytes(8)):
            return b"6" + addr[1:7]
    return None


@lru_cache(maxsize=4_096)
def _is_public(packed: bytes) -> bool:
    """Asked for one address per range, because the answer takes long to compute and is the same for all of it."""
    return ip_address(packed).is_global


def range_of_text(multiaddrs: Iterable[str]) -> bytes | None:
    """The same of addresses as texts; what cannot be read makes no range."""
    addrs = []
    for text in multiaddrs:
        try:
            addrs.append(from_text(text))
        except ValueError:
            continue
    return range_of(addrs)
