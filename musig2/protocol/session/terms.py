"""What never changes about a request: its keys, items, aggregate keys and session ids.

Computed once per request in memory and shared by all its attempts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from musig2 import KeyAggContext, Scheme, scheme
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.ids import session_id, session_ids
from musig2.protocol.records.records import Body, Message, Request
from musig2.protocol.records.requests import key_agg_of
from musig2.protocol.wire.frames import Signed


class RequestTerms:
    """The constants of one request, and this daemon's part in it."""

    def __init__(
        self,
        request: Signed[Request],
        own_keys: frozenset[bytes],
        sign_message: Callable[[bytes], bytes],
        own_peer: bytes,
    ) -> None:
        record = request.record
        self.request = request
        self.id = request.id
        self.record = record
        self.keys = record.keys
        self.n = len(record.keys)
        self.items = record.items
        self.max_attempts = record.max_attempts
        self.own_peer = own_peer
        self.own_keys = tuple(key for key in record.keys if key in own_keys)
        self.index_of = {key: index for index, key in enumerate(record.keys)}
        self.own_mask = sum(1 << self.index_of[key] for key in self.own_keys)
        self._sign_message = sign_message

    @cached_property
    def scheme(self) -> Scheme:
        """The signature scheme of every item."""
        return scheme(self.record.scheme)

    @cached_property
    def keyaggs(self) -> tuple[KeyAggContext, ...]:
        """The aggregate key of each item; items with the same tweaks share one."""
        known: dict[object, KeyAggContext] = {}
        for item in self.items:
            if item.tweaks not in known:
                known[item.tweaks] = key_agg_of(self.record, item)
        return tuple(known[item.tweaks] for item in self.items)

    @cached_property
    def attempt_of(self) -> dict[bytes, int]:
        """The attempts by session id: a message names only the session."""
        return {session: attempt for attempt, session in enumerate(session_ids(self.id, self.max_attempts), 1)}

    def aggregates(self) -> dict[str, object]:
        """The aggregate keys in events of a signature: that of the first item, and all if they differ."""
        keys = tuple(item.agg for item in self.items)
        told: dict[str, object] = {"aggregatedPublicKey": keys[0]}
        return told if len(set(keys)) == 1 else {**told, "aggregatedPublicKeys": keys}

    def session(self, attempt: int) -> bytes:
        """The session id of an attempt."""
        if not 1 <= attempt <= self.max_attempts:  # as evidence may name
            return session_id(self.id, attempt)
        return session_ids(self.id, self.max_attempts)[attempt - 1]

    def seal(self, session: bytes, join: bytes, body: Body) -> Signed[Message]:
        """An own session message, signed by this daemon's peer identity."""
        return seal(Message(session, join, body), self._sign_message, peer=self.own_peer)

    def verifies(self, signatures: tuple[bytes, ...]) -> bool:
        """Whether these are final signatures of all items, each under its aggregate key."""
        return len(signatures) == len(self.items) and all(
            len(signature) == 64 and self.scheme.schnorr_verify(item.agg, item.msg, signature)
            for item, signature in zip(self.items, signatures, strict=True)
        )
