"""Messages that arrive before the join they name: kept in bounded number, and taken when the join arrives.

A lost one only causes a delay: the sender's `have` brings it again.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from musig2.protocol.records.records import Message
from musig2.protocol.wire.frames import Signed

LARGEST: Final = 16_384  # bytes; a nonce or partial of 100 items has less than half of that
Early: TypeAlias = tuple[Signed[Message], bytes | None]


class EarlyMessages:
    """At most `limit` messages, at most an eighth of them from one peer."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._per_peer = max(limit // 8, 8)
        self._by_join: dict[bytes, dict[bytes, Early]] = {}
        self._count_of: dict[bytes | None, int] = {}
        self._count = 0

    def keep(self, message: Signed[Message], peer: bytes | None) -> None:
        """Keep a message until its join comes, if there is room for it."""
        mine = self._count_of.get(peer, 0)
        if self._count >= self._limit or mine >= self._per_peer or len(message.envelope) > LARGEST:
            return
        waiting = self._by_join.setdefault(message.record.join, {})
        if message.envelope in waiting:
            return
        waiting[message.envelope] = (message, peer)
        self._count += 1
        self._count_of[peer] = mine + 1

    def take(self, join: bytes) -> list[Early]:
        """What came before this join, in the order of arrival."""
        taken = list(self._by_join.pop(join, {}).values())
        for _, peer in taken:
            self._count -= 1
            self._count_of[peer] -= 1
        return taken
