"""Peer ids and plain addresses as text, fast: a burst of advertisements needs thousands of them.

For the common forms the libraries take fifty times as long; a test compares the results. Other forms go to them.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Final

from p2p.addresses import to_text

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
CHUNK: Final = 58**10


def base58(data: bytes) -> str:
    """Base58 with the alphabet of Bitcoin, as libp2p writes peer ids."""
    value = int.from_bytes(data, "big")
    chunks = []
    while value:
        value, chunk = divmod(value, CHUNK)
        text = ""
        for _ in range(5):
            chunk, pair = divmod(chunk, 58 * 58)
            text = PAIRS[pair] + text
        chunks.append(text)
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(chunks)).lstrip("1")


def address_text(addr: bytes) -> str:
    """A binary multiaddr as text; ValueError for one that this program cannot read."""
    shape = (len(addr), addr[:1], addr[-3:-2])
    if shape == (8, b"\x04", b"\x06"):
        return f"/ip4/{addr[1]}.{addr[2]}.{addr[3]}.{addr[4]}/tcp/{int.from_bytes(addr[6:], 'big')}"
    if shape == (20, b"\x29", b"\x06"):
        return f"/ip6/{IPv6Address(addr[1:17])}/tcp/{int.from_bytes(addr[18:], 'big')}"
    return to_text(addr)
