"""Peer ids and plain addresses as text, fast: a burst of advertisements needs thousands of them.

For the common forms the libraries take fifty times as long; a test compares the results. Other forms go to them.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Final

import gmpy2  # type: ignore[import-untyped]  # without stubs

from p2p.addresses import to_text

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
GMP: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"  # the same digits as GMP writes them
TO_ALPHABET: Final = str.maketrans(GMP, ALPHABET)


def base58(data: bytes) -> str:
    """Base58 with the alphabet of Bitcoin, as libp2p writes peer ids."""
    value = int.from_bytes(data, "big")
    digits = gmpy2.mpz(value).digits(58).translate(TO_ALPHABET) if value else ""
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def address_text(addr: bytes) -> str:
    """A binary multiaddr as text; ValueError for one that this program cannot read."""
    shape = (len(addr), addr[:1], addr[-3:-2])
    if shape == (8, b"\x04", b"\x06"):
        return f"/ip4/{addr[1]}.{addr[2]}.{addr[3]}.{addr[4]}/tcp/{int.from_bytes(addr[6:], 'big')}"
    if shape == (20, b"\x29", b"\x06"):
        return f"/ip6/{IPv6Address(addr[1:17])}/tcp/{int.from_bytes(addr[18:], 'big')}"
    return to_text(addr)
