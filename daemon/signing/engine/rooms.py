"""Room for requests that no own key has joined: apart for each standing, in it shared by own key and by source.

Where a class is full, the own key of which most is asked gives way to another, and of one key the source that asks
most: its oldest request leaves for one of a source that asks less. So nobody who fills the room shuts anybody out of
it, and what known peers ask never competes with strangers.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from daemon.signing.ports import PeerStandings, SignerDirectory, SigningNetwork, SigningStore
from musig2.protocol.records.records import Request
from musig2.protocol.wire.frames import Signed
from p2p.network import Standing

PLACE_BYTES = 768  # a request takes a place, and one more for each of these: eight times as much memory
SHARES = {Standing.KNOWN: 0.6, Standing.ESTABLISHED: 0.2, Standing.STRANGER: 0.2}  # of all places


@dataclass(frozen=True, slots=True)
class Berth:
    """Where a request lies: its class, an own key that it requires, its source, and how many places it takes."""

    standing: Standing
    key: bytes
    source: bytes
    places: int

    @property
    def group(self) -> tuple[bytes, bytes]:
        """Whose share it is."""
        return self.key, self.source


class Berths:
    """Finds the berth of a request: a known creator counts like a known peer, whoever brings its request."""

    def __init__(
        self,
        *,
        store: SigningStore,
        network: SigningNetwork,
        discovery: SignerDirectory,
        standings: PeerStandings,
    ) -> None:
        self._store = store
        self._network = network
        self._discovery = discovery
        self._standings = standings

    def of(self, signed: Signed[Request], own: Collection[bytes], peer: bytes) -> Berth:
        """Where a request that this peer brings would lie; `own`: its keys that are here, at least one."""
        creator = signed.record.creator
        standing = self._standings.of(peer)
        if standing is not Standing.KNOWN and self._store.read(lambda conn: self._knows(conn, creator)):
            standing = Standing.KNOWN
        return Berth(standing, min(own), self._network.source_of(peer), 1 + len(signed.envelope) // PLACE_BYTES)

    def _knows(self, conn: sqlite3.Connection, creator: bytes) -> bool:
        return self._discovery.standing_of(conn, creator)[0]


class _Room:
    """One class."""

    def __init__(self, places: int) -> None:
        self.free = places
        self._of_key: Counter[bytes] = Counter()
        self._of_group: dict[bytes, Counter[bytes]] = {}
        self._lying: dict[tuple[bytes, bytes], OrderedDict[bytes, Berth]] = {}

    def add(self, request: bytes, berth: Berth) -> None:
        self.free -= berth.places
        self._of_key[berth.key] += berth.places
        self._of_group.setdefault(berth.key, Counter())[berth.source] += berth.places
        self._lying.setdefault(berth.group, OrderedDict())[request] = berth

    def remove(self, request: bytes, berth: Berth) -> None:
        self.free += berth.places
        sources = self._of_group[berth.key]
        sources[berth.source] -= berth.places
        self._of_key[berth.key] -= berth.places
        del self._lying[berth.group][request]
        if not sources[berth.source]:
            del sources[berth.source], self._lying[berth.group]
        if not self._of_key[berth.key]:
            del self._of_key[berth.key], self._of_group[berth.key]

    def next_to_go(self, berth: Berth) -> bytes | None:
        """The request that gives way to one at this berth; None if that would be no fairer than to refuse it."""
        key = max(self._of_key, key=self._of_key.__getitem__, default=berth.key)
        if key == berth.key or self._of_key[key] <= self._of_key[berth.key] + berth.places:
            key = berth.key
        sources = self._of_group.get(key, Counter())
        source = max(sources, key=sources.__getitem__, default=None)
        if source is None:
            return None
        if key == berth.key and sources[source] <= sources[berth.source] + berth.places:
            return None
        return next(iter(self._lying[key, source]))


class Rooms:
    """All classes. Requests are known by their ids."""

    def __init__(self, total: int) -> None:
        self._rooms = {standing: _Room(max(1, int(share * total))) for standing, share in SHARES.items()}
        self._berths: dict[bytes, Berth] = {}

    def __len__(self) -> int:
        return len(self._berths)

    def add(self, request: bytes, berth: Berth) -> None:
        """It lies there from now on, whether or not there is room; once."""
        if request not in self._berths:
            self._berths[request] = berth
            self._rooms[berth.standing].add(request, berth)

    def remove(self, request: bytes) -> None:
        """An own key has joined it, or it is gone."""
        berth = self._berths.pop(request, None)
        if berth is not None:
            self._rooms[berth.standing].remove(request, berth)

    def gives_way(self, berth: Berth) -> bytes | None:
        """The request that has to leave before one fits there; ask again when it has left."""
        return self._rooms[berth.standing].next_to_go(berth)

    def fits(self, berth: Berth) -> bool:
        """Whether there is room without that."""
        return self._rooms[berth.standing].free >= berth.places
