"""What a single field of a record may hold: one predicate per kind of value, for reading and writing alike.

They take what `cbor.decode` gives, that is anything, and never raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final, TypeAlias

from musig2.protocol.records.cbor import MAX_UINT
from musig2.protocol.records.peers import PEER_BYTES, PREFIX

Rule: TypeAlias = Callable[[Any], bool]

SCHEMES: Final = ("lotus", "bip340")
ELECTION_METHODS: Final = ("lexicographic", "hash-based", "first-signer", "last-signer")
WEEK_MS: Final = 7 * 24 * 3_600_000
MAX_KEYS: Final = 100
MAX_ITEMS: Final = 100
MAX_ATTEMPTS: Final = 16
MAX_ADDRS: Final = 16
MAX_ADDR_BYTES: Final = 256
MAX_NAMES: Final = 32
MAX_TWEAKS: Final = 32
MAX_TEXT_BYTES: Final = 256
MAX_TAGS: Final = 100
MAX_EVIDENCE: Final = 8
MAX_EVIDENCE_BYTES: Final = 16_384
ORDER: Final = bytes.fromhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")  # of secp256k1
_NAME: Final = re.compile(r"[a-z0-9-]{1,32}")


def sized(size: int) -> Rule:
    """Bytes of exactly this length."""
    return lambda value: type(value) is bytes and len(value) == size


def bounded(least: int, most: int) -> Rule:
    """A number from `least` to `most`."""
    return lambda value: type(value) is int and least <= value <= most


def one_of(*allowed: str) -> Rule:
    """One of these texts."""
    return lambda value: value in allowed


def rows(rule: Rule, least: int, most: int) -> Rule:
    """An array of `least` to `most` values that keep the rule."""
    return lambda value: type(value) is tuple and least <= len(value) <= most and all(map(rule, value))


def optional(rule: Rule) -> Rule:
    """Null, or what the rule allows."""
    return lambda value: value is None or rule(value)


b8, b16, b32, b64, b66 = map(sized, (8, 16, 32, 64, 66))
uint = bounded(0, MAX_UINT)
duration_ms = bounded(1, WEEK_MS)
scheme_name = one_of(*SCHEMES)


def pubkey(value: Any) -> bool:
    """33 bytes that begin as a compressed key does; whether it is a point is found out where it is used."""
    return type(value) is bytes and len(value) == 33 and value[0] in (2, 3)


def peer(value: Any) -> bool:
    """A peer id that holds an ed25519 key."""
    return type(value) is bytes and len(value) == PEER_BYTES and value.startswith(PREFIX)


def text(value: Any) -> bool:
    """Text of at most 256 bytes."""
    return type(value) is str and len(value.encode("utf-8", "surrogatepass")) <= MAX_TEXT_BYTES


def addrs(value: Any) -> bool:
    """At most 16 binary multiaddrs of at most 256 bytes; what they say is not looked at."""
    return type(value) is tuple and len(value) <= MAX_ADDRS and all(map(_addr, value))


def _addr(value: Any) -> bool:
    return type(value) is bytes and 0 < len(value) <= MAX_ADDR_BYTES


def names(value: Any) -> bool:
    """At most 32 different names `[a-z0-9-]{1,32}`, sorted."""
    if type(value) is not tuple or len(value) > MAX_NAMES:
        return False
    before = ""
    for name in value:
        if type(name) is not str or name <= before or not _NAME.fullmatch(name):
            return False
        before = name
    return True


def trust(value: Any) -> bool:
    """What a signer asks of a creator: `reputation` 0 to 100 and `requiresVerification`, each if wanted."""
    return open_map(value) and all(name in _TRUST and _TRUST[name](item) for name, item in value.items())


_TRUST: Final[dict[str, Rule]] = {
    "reputation": bounded(0, 100),
    "requiresVerification": lambda value: type(value) is bool,
}


def open_map(value: Any) -> bool:
    """Any map; bounded by the size of the record."""
    return type(value) is dict or isinstance(value, Mapping)


def keys(value: Any) -> bool:
    """2 to 100 different public keys, sorted bytewise."""
    return _keys(value) and all(a < b for a, b in pairwise(value))


_keys: Final = rows(pubkey, 2, MAX_KEYS)


def order(value: Any) -> bool:
    """The numbers from 0, each once."""
    return (
        type(value) is tuple
        and len(value) <= MAX_KEYS
        and all(map(uint, value))
        and sorted(value) == [*range(len(value))]
    )


def tweaks(value: Any) -> bool:
    """[[kind, b32 | null]...], at most 32: a scalar for kinds 0 and 1; kind 2 only last."""
    if type(value) is not tuple or len(value) > MAX_TWEAKS:
        return False
    return all(map(_tweak, value)) and all(kind != 2 for kind, _ in value[:-1])


def _tweak(value: Any) -> bool:
    if type(value) is not tuple or len(value) != 2:
        return False
    kind, tweak = value
    if type(kind) is not int or not optional(b32)(tweak):
        return False
    return kind == 2 or (kind in (0, 1) and tweak is not None and bytes(32) < tweak < ORDER)


def lotus_tweaks(value: Any) -> bool:
    """For tweaks that are well formed: none, or a Taproot commitment, whose root of 32 zero bytes is written null."""
    return not value or (len(value) == 1 and value[0][0] == 2 and value[0][1] != bytes(32))


def item(value: Any) -> bool:
    """[msg, tweaks, agg, input | null]."""
    if type(value) is not tuple or len(value) != 4:
        return False
    return b32(value[0]) and tweaks(value[1]) and pubkey(value[2]) and optional(uint)(value[3])


items: Final = rows(item, 1, MAX_ITEMS)


def election(value: Any) -> bool:
    """Null or [method, broadcast_ms]."""
    if value is None:
        return True
    return type(value) is tuple and len(value) == 2 and value[0] in ELECTION_METHODS and duration_ms(value[1])


def evidence(value: Any) -> bool:
    """At most 8 envelopes of at most 16 KiB."""
    return _evidence(value) and all(0 < len(envelope) <= MAX_EVIDENCE_BYTES for envelope in value)


_evidence: Final = rows(lambda value: type(value) is bytes, 0, MAX_EVIDENCE)
