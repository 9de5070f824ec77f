"""The requests in memory: one machine each, found by request or session id, with the time each wants to be woken.

A request that is not here may still be in the store: `find` loads it. Final, idle requests leave memory again.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from daemon.signing.engine.handover import Handover, HandoverState
from daemon.signing.engine.rooms import Berth, Rooms
from musig2.protocol.interface.effects import Outcome
from musig2.protocol.records.ids import session_ids
from musig2.protocol.records.records import Request
from musig2.protocol.request.request_machine import RequestMachine
from musig2.protocol.wire.frames import Signed


@dataclass(slots=True, eq=False)
class OpenRequest:
    """One request in memory: its machine, and what is known of the peers of its other signers.

    `candidates` change in `Roster.suggest`, `unsolicited` in `Roster.wanted`, `wake_ms` and `idle_since` in
    `Roster.rearm`, `resumed` in `Turn.feed`; what peers were sent changes in `handover`.
    """

    request: Signed[Request]
    machine: RequestMachine
    own: frozenset[bytes]
    source: bytes | None  # the peer that brought it; None: made here
    candidates: list[tuple[bytes, ...]]  # per signer: the peers that discovery names
    handover: Handover = field(default_factory=Handover)
    resumed: bool = True  # False: loaded from the store, and `Restarted` not fed yet
    unsolicited: bool = False  # brought by a peer, and no own key has joined
    wake_ms: int | None = None
    idle_since: int | None = None
    others: tuple[int, ...] = field(init=False)  # the positions of the signers that are not this daemon's

    def __post_init__(self) -> None:
        self.others = tuple(index for index, key in enumerate(self.request.record.keys) if key not in self.own)

    def peers_of(self, index: int) -> tuple[bytes, ...]:
        """The peer in that signer's join, else the peers that discovery names."""
        joined = self.machine.peer_of(index)
        return (joined,) if joined is not None else self.candidates[index]

    def index_of(self, peer: bytes) -> Iterator[int]:
        """The other signers that this peer is known to act for."""
        return (index for index in self.others if peer in self.peers_of(index))

    def may_lack_it(self, peer: bytes) -> bool:
        """Whether this daemon, as the creator, should push the request to this peer; others wait to be asked."""
        return self.source is None and self.handover.standing(peer) is HandoverState.UNKNOWN

    @property
    def through_others(self) -> bool:
        """Whether what signers say comes through a hub, so that the time of its arrival says little of them."""
        return bool(self.machine.hubs()) and self.request.record.creator not in self.own

    def knows(self, peer: bytes) -> bool:
        """Whether this peer is a party: it speaks for a required key, or brought the request."""
        return peer == self.source or any(True for _ in self.index_of(peer))


class Roster:
    """The entries in memory and their timers."""

    def __init__(
        self,
        *,
        load: Callable[[bytes], OpenRequest | None],
        request_of: Callable[[bytes], bytes | None],
        mono_ms: Callable[[], int],
        berth_of: Callable[[Signed[Request], Collection[bytes], bytes], Berth],
        rooms: Rooms,
    ) -> None:
        """`load` rebuilds a stored request by its id; `request_of` finds a stored session's request.

        `mono_ms`: the monotonic clock; `rooms` is filled and emptied here.
        """
        self._berth_of = berth_of
        self._rooms = rooms
        self._load = load
        self._request_of = request_of
        self._mono_ms = mono_ms
        self._entries: dict[bytes, OpenRequest] = {}
        self._sessions: dict[bytes, tuple[bytes, int]] = {}
        self._timers: list[tuple[int, bytes]] = []
        self._signed: dict[bytes, OpenRequest] = {}  # with nothing left to do, the longest idle ones first
        self._ended: dict[bytes, OpenRequest] = {}  # the same of those that ended without a signature
        self._by_peer: dict[bytes, set[bytes]] = {}
        self._peers_of: dict[bytes, set[bytes]] = {}  # the reverse of `_by_peer`
        self.unsolicited: Counter[bytes] = Counter()  # by the peer that brought them
        self.unwanted: Counter[bytes] = Counter()  # the same, of those that left memory without a join of an own key

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[OpenRequest]:
        return iter(list(self._entries.values()))

    def add(self, entry: OpenRequest) -> None:
        """Take a request into memory."""
        request = entry.request
        self._entries[request.id] = entry
        if entry.unsolicited and entry.source is not None:
            self.unsolicited[entry.source] += 1
            self._rooms.add(request.id, self._berth_of(request, entry.own, entry.source))
        for index in entry.others:
            self.link(entry, *entry.peers_of(index), *entry.candidates[index])
        if entry.source is not None:
            self.link(entry, entry.source)
        for attempt, session in enumerate(session_ids(request.id, request.record.max_attempts), 1):
            self._sessions[session] = (request.id, attempt)

    def drop(self, entry: OpenRequest) -> None:
        """Forget a request here; the store keeps it."""
        request = entry.request
        if entry.unsolicited and entry.source is not None:
            self.unwanted[entry.source] += 1
        self.wanted(entry)
        self._busy(entry)
        self._entries.pop(request.id, None)
        for peer in self._peers_of.pop(request.id, ()):
            self._by_peer[peer].discard(request.id)
            if not self._by_peer[peer]:
                del self._by_peer[peer]
        for session in session_ids(request.id, request.record.max_attempts):
            self._sessions.pop(session, None)

    def link(self, entry: OpenRequest, *peers: bytes) -> None:
        """Note that these peers belong to this request: it is told when they connect or disconnect."""
        if self._entries.get(entry.request.id) is entry:
            for peer in peers:
                self._peers_of.setdefault(entry.request.id, set()).add(peer)
                self._by_peer.setdefault(peer, set()).add(entry.request.id)

    def suggest(self, entry: OpenRequest, index: int, peers: Iterable[bytes]) -> None:
        """Add peers for that signer, named by discovery or by a delegation that was shown."""
        entry.candidates[index] = tuple(dict.fromkeys(peers))
        self.link(entry, *entry.candidates[index])

    def of_peer(self, peer: bytes) -> list[OpenRequest]:
        """The requests that this peer belongs to."""
        return [self._entries[request] for request in self._by_peer.get(peer, ())]

    def wanted(self, entry: OpenRequest) -> None:
        """The owner joined it, or it is gone: it no longer counts against the peer that brought it."""
        if entry.unsolicited and entry.source is not None:
            entry.unsolicited = False
            self._rooms.remove(entry.request.id)
            self.unsolicited[entry.source] -= 1
            if not self.unsolicited[entry.source]:
                del self.unsolicited[entry.source]

    def get(self, request: bytes) -> OpenRequest | None:
        """The request, if it is in memory."""
        return self._entries.get(request)

    def at_hand(self, about: bytes) -> OpenRequest | None:
        """The request of that id, or with a session of it, if it is in memory."""
        entry = self._entries.get(about)
        if entry is None and (session := self._sessions.get(about)) is not None:
            entry = self._entries.get(session[0])
        return entry

    def parties(self, entry: OpenRequest) -> frozenset[bytes]:
        """The peers that have to do with a request in memory."""
        return frozenset(self._peers_of.get(entry.request.id, ()))

    def concerns(self, entry: OpenRequest, peer: bytes) -> bool:
        """Whether that peer belongs to this request, if it is in memory."""
        return peer in self._peers_of.get(entry.request.id, ())

    def find(self, request: bytes) -> OpenRequest | None:
        """The request, loaded from the store if it is not in memory; one that has ended leaves it again by itself."""
        entry = self._entries.get(request)
        if entry is None:
            entry = self._load(request)
            if entry is not None:
                self.add(entry)
                if entry.machine.idle:
                    self._rest(entry, self._mono_ms())
        return entry

    def request_of(self, session: bytes) -> bytes | None:
        """The request that a session id belongs to, in memory or in the store."""
        known = self._sessions.get(session)
        return known[0] if known is not None else self._request_of(session)

    def attempt_of(self, session: bytes) -> int:
        """The attempt of a session in memory."""
        return self._sessions[session][1]

    def rearm(self, entry: OpenRequest, now_ms: int) -> None:
        """Set the timer from what the machine wants next, and note whether it may leave memory."""
        wake = entry.machine.next_wakeup_ms()
        if wake is not None and wake != entry.wake_ms:
            heapq.heappush(self._timers, (wake, entry.request.id))
        entry.wake_ms = wake
        if not entry.machine.idle:
            self._busy(entry)
        else:
            self._rest(entry, now_ms)

    def _rest(self, entry: OpenRequest, now_ms: int) -> None:
        if entry.idle_since is None:
            entry.idle_since = now_ms
            if self._entries.get(entry.request.id) is entry:
                resting = self._signed if entry.machine.outcome is Outcome.COMPLETE else self._ended
                resting[entry.request.id] = entry

    def _busy(self, entry: OpenRequest) -> None:
        if entry.idle_since is not None:
            entry.idle_since = None
            for resting in (self._signed, self._ended):
                resting.pop(entry.request.id, None)

    def next_wakeup_ms(self) -> int | None:
        """When the first timer is due (monotonic)."""
        while self._timers:
            wake, request = self._timers[0]
            entry = self._entries.get(request)
            if entry is not None and entry.wake_ms == wake:
                return wake
            heapq.heappop(self._timers)
        return None

    def due(self, now_ms: int, limit: int) -> list[OpenRequest]:
        """The requests whose time has come, at most `limit`; each once."""
        found: list[OpenRequest] = []
        while len(found) < limit and (wake := self.next_wakeup_ms()) is not None and wake <= now_ms:
            entry = self._entries[heapq.heappop(self._timers)[1]]
            entry.wake_ms = None
            found.append(entry)
        return found

    def idle_before(self, then_ms: int, signed_then_ms: int) -> Iterator[OpenRequest]:
        """The requests that have had nothing to do since before `then_ms` (monotonic); signed ones `signed_then_ms`."""
        for resting, until_ms in ((self._ended, then_ms), (self._signed, signed_then_ms)):
            for entry in resting.values():
                if entry.idle_since is None or entry.idle_since > until_ms:
                    break
                yield entry
