"""Hashes of public data: BIP-340's tagged hash, with the hash of each tag computed once."""

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash


@lru_cache(maxsize=256)
def midstate(tag: str) -> "_Hash":
    """SHA-256 after SHA256(tag) twice. Copy it before use."""
    return hashlib.sha256(_twice(tag))


def tagged_hash(tag: str, *parts: bytes) -> bytes:
    """SHA256(SHA256(tag) | SHA256(tag) | parts...), 32 bytes (BIP-340, "Design"). For public data only."""
    return hashlib.sha256(_twice(tag) + b"".join(parts)).digest()


@lru_cache(maxsize=256)
def _twice(tag: str) -> bytes:
    return 2 * hashlib.sha256(tag.encode()).digest()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
