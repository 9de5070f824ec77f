"""An advertisement as clients see it (the `advertisement` value of the API), made once when it is stored.

`envelope`, `own` and `localReputation` are added when it is read: the first is stored anyway, the others change.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Final

import gmpy2  # type: ignore[import-untyped]  # without stubs
import orjson

from daemon.discovery.directory.reputation import Reputation
from musig2.protocol.records.open_maps import open_to_json
from musig2.protocol.records.records import Advertisement
from musig2.protocol.wire.frames import Signed
from p2p.addresses import to_text
from rpc import answers

# Base58 and plain addresses, fast: a burst of advertisements has thousands of them, and the libraries take fifty times
# as long. A test compares the results.
ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
GMP: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"  # the same digits as GMP writes them
TO_ALPHABET: Final = str.maketrans(GMP, ALPHABET)
COSIG_BYTES = 66  # a 64-byte string in CBOR with its two-byte head; the last two fields of an envelope


def view_of(signed: Signed[Advertisement]) -> bytes:
    """The stored part of the view, as JSON."""
    advertisement = signed.record
    peer = base58(advertisement.peer)
    return orjson.dumps(
        {
            "publicKey": advertisement.pubkey.hex(),
            "scheme": advertisement.scheme,
            "peerId": peer,
            "multiaddrs": [f"{text}/p2p/{peer}" for text in map(_text, advertisement.addrs) if text],
            "criteria": _criteria(advertisement),
            "metadata": open_to_json(advertisement.metadata or {}),
            "timestamp": advertisement.ts,
            "expiresAt": advertisement.exp,
            "signature": signature_of(signed).hex(),
        }
    )


def full_view(stored: bytes, envelope: bytes, *, own: bool, reputation: Reputation | None) -> answers.Advertisement:
    """The whole view, from its stored part."""
    view: answers.Advertisement = orjson.loads(stored)
    view["envelope"] = envelope.hex()
    view["own"] = own
    if reputation is not None:
        view["localReputation"] = _reputation(reputation)
    return view


def signature_of(signed: Signed[Advertisement]) -> bytes:
    """The signature in an envelope that has a countersignature: both are at its end."""
    return signed.envelope[-COSIG_BYTES - 64 : -COSIG_BYTES]


def _criteria(advertisement: Advertisement) -> answers.ShownCriteria:
    criteria: answers.ShownCriteria = {"transactionTypes": list(advertisement.types)}
    if advertisement.min is not None:
        criteria["minAmount"] = advertisement.min
    if advertisement.max is not None:
        criteria["maxAmount"] = advertisement.max
    if advertisement.trust:
        criteria["trustRequirements"] = open_to_json(advertisement.trust)
    return criteria


def _reputation(reputation: Reputation) -> answers.LocalReputation:
    shown: answers.LocalReputation = {
        "score": reputation.score,
        "completed": reputation.completed,
        "failed": reputation.failed,
        "aborted": reputation.aborted,
    }
    if reputation.response_ms is not None:
        shown["responseTime"] = reputation.response_ms
    return shown


def _text(addr: bytes) -> str | None:
    """An address as text; None for one that this program cannot read."""
    try:
        return address_text(addr)
    except ValueError:
        return None


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
