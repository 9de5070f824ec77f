"""Halves that wait for each other: an entry without its advertisement, an advertisement without its entry."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass

from musig2.protocol.checks import entry_agrees
from musig2.protocol.records import Advertisement, Entry
from musig2.protocol.wire import Signed

from .limits import DiscoveryLimits
from .statements import Statement


@dataclass(frozen=True, slots=True)
class Half:
    """One of the two, its signature checked."""

    advertisement: Signed[Advertisement] | None
    entry: Signed[Entry] | None
    peer: bytes
    until_ms: int


class WaitingRoom:
    """Bounded in number, in time, and per peer that the half speaks of; who came first leaves first."""

    def __init__(self, limits: DiscoveryLimits) -> None:
        self._limits = limits
        self._halves: OrderedDict[tuple[bytes, bytes], Half] = OrderedDict()
        self._per_peer: Counter[bytes] = Counter()

    def __len__(self) -> int:
        return len(self._halves)

    def offer(self, signed: Signed[Advertisement] | Signed[Entry], now_ms: int) -> Statement | None:
        """The whole statement when the other half is here and both agree; else this half waits."""
        self._expire(now_ms)
        half = self._half(signed, now_ms)
        key = _key(signed)
        other = self._halves.get(key)
        if other is None:
            self._wait(key, half)
            return None
        advertisement = half.advertisement or other.advertisement
        entry = half.entry or other.entry
        if advertisement is None or entry is None:
            return None  # the same half again
        self._leave(key)
        return Statement(advertisement, entry) if entry_agrees(entry.record, advertisement) else None

    def _half(self, signed: Signed[Advertisement] | Signed[Entry], now_ms: int) -> Half:
        until_ms = now_ms + self._limits.half_ms
        match signed:
            case Signed(record=Advertisement() as advertisement):
                return Half(Signed(advertisement, signed.id, signed.envelope), None, advertisement.peer, until_ms)
            case Signed(record=Entry() as entry):
                return Half(None, Signed(entry, signed.id, signed.envelope), entry.peer, until_ms)
        raise AssertionError("there are two kinds of halves")

    def _wait(self, key: tuple[bytes, bytes], half: Half) -> None:
        if self._per_peer[half.peer] >= self._limits.halves_per_peer:
            return
        if len(self._halves) >= self._limits.halves:
            self._leave(next(iter(self._halves)))
        self._halves[key] = half
        self._per_peer[half.peer] += 1

    def _leave(self, key: tuple[bytes, bytes]) -> None:
        peer = self._halves.pop(key).peer
        self._per_peer[peer] -= 1
        if not self._per_peer[peer]:
            del self._per_peer[peer]

    def _expire(self, now_ms: int) -> None:
        while self._halves and next(iter(self._halves.values())).until_ms <= now_ms:
            self._leave(next(iter(self._halves)))


def _key(signed: Signed[Advertisement] | Signed[Entry]) -> tuple[bytes, bytes]:
    """Halves meet under the advertisement's id and the key that signed both, so that nobody else can take the seat."""
    record = signed.record
    return (record.ad if isinstance(record, Entry) else signed.id), record.pubkey
