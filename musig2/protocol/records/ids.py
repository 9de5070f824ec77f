"""Names of records and sessions: tagged hashes (BIP-340) that every daemon computes for itself.

`id` of a record is also what is signed, so tag and payload together are what a signature speaks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from musig2 import tagged_hash

TAG_BYTES = 8


def record_id(alg: str, record_type: str, payload: bytes) -> bytes:
    """tagged_hash("musigd/<alg>/<type>/v1", payload), 32 bytes."""
    return tagged_hash(f"musigd/{alg}/{record_type}/v1", payload)


def session_id(request_id: bytes, attempt: int) -> bytes:
    """The name of one attempt of a request; every attempt is a session of its own."""
    return tagged_hash("musigd/session/v1", request_id, attempt.to_bytes(4, "big"))


@lru_cache(maxsize=1024)
def session_ids(request_id: bytes, attempts: int) -> tuple[bytes, ...]:
    """The names of the attempts from 1 on; several parts need them for each request."""
    return tuple(session_id(request_id, attempt) for attempt in range(1, attempts + 1))


def joinset(session: bytes, join_ids: Iterable[bytes]) -> bytes:
    """What a nonce is made for: the joins of all signers, in the order of the request's keys."""
    return tagged_hash("musigd/joinset/v1", session, *join_ids)


def nonceset(join_set: bytes, pubnonces_by_signer: Iterable[Sequence[bytes]]) -> bytes:
    """What a partial signature answers: signer 0's pubnonces in the order of the items, then signer 1's, and so on."""
    return tagged_hash("musigd/nonceset/v1", join_set, *(nonce for nonces in pubnonces_by_signer for nonce in nonces))


def tag_of(pubkey: bytes, salt: bytes) -> bytes:
    """How a notice names a key to those who know the key already, 8 bytes."""
    return tagged_hash("musigd/tag/v1", pubkey, salt)[:TAG_BYTES]


def hub_rank(request_id: bytes, index: int) -> bytes:
    """The place of a signer among those that may be hubs of a large request: lowest first."""
    return tagged_hash("musigd/hub/v1", request_id, index.to_bytes(4, "big"))
