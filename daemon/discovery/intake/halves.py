"""Halves of statements: an entry that waits for its advertisement, an advertisement that waits for its entry."""

from __future__ import annotations

from collections import Counter, OrderedDict

from daemon.discovery.directory.statements import Statement
from daemon.discovery.limits import DiscoveryLimits
from musig2.protocol.records.checks import entry_agrees
from musig2.protocol.records.records import Advertisement, Entry
from musig2.protocol.wire.frames import Signed

Key = tuple[bytes, bytes]


class WaitingRoom:
    """Bounded in number and in time (monotonic clock); the oldest is dropped first.

    Advertisements are also counted by the peer that countersigned them. Entries are not: they name a peer without its
    consent, and a stranger could use up the room of another peer.
    """

    def __init__(self, limits: DiscoveryLimits) -> None:
        self._limits = limits
        self._advertisements: OrderedDict[Key, tuple[Signed[Advertisement], int]] = OrderedDict()
        self._entries: OrderedDict[Key, tuple[Signed[Entry], int]] = OrderedDict()
        self._per_peer: Counter[bytes] = Counter()

    def __len__(self) -> int:
        return len(self._advertisements) + len(self._entries)

    def offer(self, signed: Signed[Advertisement] | Signed[Entry], mono_ms: int) -> Statement | None:
        """The whole statement if the other half is here and both agree; otherwise this half waits."""
        self._expire(mono_ms)
        if isinstance(signed.record, Entry):
            return self._offer_entry(Signed(signed.record, signed.id, signed.envelope), mono_ms)
        return self._offer_advertisement(Signed(signed.record, signed.id, signed.envelope), mono_ms)

    def _offer_entry(self, entry: Signed[Entry], mono_ms: int) -> Statement | None:
        key = (entry.record.ad, entry.record.pubkey)
        waiting = self._advertisements.get(key)
        if waiting is not None and entry_agrees(entry.record, waiting[0]):
            self._leave(key)
            return Statement(waiting[0], entry)
        self._entries[key] = (entry, mono_ms + self._limits.half_ms)
        if len(self._entries) > self._limits.halves:
            self._entries.popitem(last=False)
        return None

    def _offer_advertisement(self, advertisement: Signed[Advertisement], mono_ms: int) -> Statement | None:
        key = (advertisement.id, advertisement.record.pubkey)
        waiting = self._entries.pop(key, None)
        if waiting is not None and entry_agrees(waiting[0].record, advertisement):
            return Statement(advertisement, waiting[0])
        peer = advertisement.record.peer
        if key not in self._advertisements and self._per_peer[peer] < self._limits.halves_per_peer:
            self._advertisements[key] = (advertisement, mono_ms + self._limits.half_ms)
            self._per_peer[peer] += 1
            if len(self._advertisements) > self._limits.halves:
                self._leave(next(iter(self._advertisements)))
        return None

    def _leave(self, key: Key) -> None:
        peer = self._advertisements.pop(key)[0].record.peer
        self._per_peer[peer] -= 1
        if not self._per_peer[peer]:
            del self._per_peer[peer]

    def _expire(self, mono_ms: int) -> None:
        while self._entries and next(iter(self._entries.values()))[1] <= mono_ms:
            self._entries.popitem(last=False)
        while self._advertisements and next(iter(self._advertisements.values()))[1] <= mono_ms:
            self._leave(next(iter(self._advertisements)))
