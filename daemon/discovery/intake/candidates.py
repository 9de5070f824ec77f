"""From verified records to candidates of the log: joins halves to whole statements, and adds what the log needs."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest
from typing import cast

from daemon.discovery.directory.address_ranges import NOWHERE, range_of
from daemon.discovery.directory.log import Candidate
from daemon.discovery.directory.statements import Stated, Statement, is_stated
from daemon.discovery.intake.views import view_of
from daemon.discovery.limits import DiscoveryLimits
from musig2.protocol.records.checks import entry_agrees
from musig2.protocol.records.records import Advertisement, Entry, Node, Notice, Record, Withdrawal
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


def whole_statements(records: Sequence[Signed[Record]], halves: WaitingRoom, mono_ms: int) -> Iterator[Statement]:
    """The statements that are whole. An entry mostly follows its advertisement; other halves wait."""
    coming = zip_longest(records, records[1:])
    for signed, following in coming:
        both = pair(signed, following)
        if both is not None:
            next(coming)
        statement = both or _whole(signed, halves, mono_ms)
        if statement is not None:
            yield statement


def _whole(signed: Signed[Record], halves: WaitingRoom, mono_ms: int) -> Statement | None:
    if isinstance(signed.record, Advertisement | Entry):
        return halves.offer(cast("Signed[Advertisement] | Signed[Entry]", signed), mono_ms)
    return Statement(cast("Signed[Stated]", signed)) if is_stated(signed) else None


def pair(signed: Signed[Record], following: Signed[Record] | None) -> Statement | None:
    """An advertisement with the entry that follows it, if they belong together."""
    if following is None or not isinstance(signed.record, Advertisement) or not isinstance(following.record, Entry):
        return None
    advertisement = cast("Signed[Advertisement]", signed)
    if not entry_agrees(following.record, advertisement):
        return None
    return Statement(advertisement, cast("Signed[Entry]", following))


def candidate_of(
    statement: Statement,
    own_keys: Collection[bytes],
    *,
    kept: bool = False,
    private_ranges: bool = True,
    by: bytes | None = None,
) -> Candidate:
    """The statement with what the log needs beside it; `private_ranges` as in the limits; `by`: who delivered it."""
    record = statement.record.record
    nowhere = None if private_ranges else NOWHERE
    match record:
        case Advertisement():
            view = view_of(cast("Signed[Advertisement]", statement.record))
            net = range_of(record.addrs) or nowhere
            return Candidate(statement, net, view, kept or record.pubkey in own_keys, record.peer == by)
        case Withdrawal():
            return Candidate(statement, kept=kept or record.pubkey in own_keys)
        case Node():
            return Candidate(statement, range_of(record.addrs) or nowhere, kept=kept, direct=record.peer == by)
        case Notice():
            return Candidate(statement, kept=kept)
