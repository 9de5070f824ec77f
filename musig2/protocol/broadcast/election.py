"""Who broadcasts the transaction, and who takes over: the order of turns follows from the request alone.

The rules are those of the original coordinator: indexes are positions in the sorted list of keys; `first-signer` and
`last-signer` go by the order in which the wallet named the keys.
"""

from __future__ import annotations

import hashlib

from musig2.protocol.records.records import Request


def priority(request: Request) -> tuple[int, ...]:
    """Signer indexes, the coordinator first, then who is next each time one fails; empty without an election."""
    count = len(request.keys)
    match request.election.method if request.election else None:
        case None:
            return ()
        case "hash-based":
            return _rotated(_hash_of_keys(request.keys) % count, count)
        case "first-signer":
            return request.order
        case "last-signer":
            return request.order[::-1]
        case _:
            return _rotated(0, count)


def _rotated(first: int, count: int) -> tuple[int, ...]:
    return (*range(first, count), *range(first))


def _hash_of_keys(keys: tuple[bytes, ...]) -> int:
    """The first 4 bytes, most significant first, of the SHA-256 of all keys in lower-case hex, one after the other."""
    text = "".join(key.hex() for key in keys)
    return int.from_bytes(hashlib.sha256(text.encode("ascii")).digest()[:4], "big")
