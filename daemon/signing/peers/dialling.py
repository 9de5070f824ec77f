"""Connects to the other signers: decides who must be connected, dials with growing pauses, tells the machine.

A request that was made here, or that an own key joined, needs a connection to every other signer; above `mesh` signers
only its creator dials all. The others dial the creator, and the other hubs a second later, or as soon as the creator is
gone; signers 1, 2, 4, 8... places away in the list where no hub is connected.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from daemon.clock import Clock
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Turn
from daemon.signing.limits import SigningLimits
from daemon.signing.peers.incoming import introduce
from daemon.signing.ports import Route, SignerDirectory, SigningNetwork
from daemon.tasks import BackgroundTasks
from musig2.protocol.interface.effects import Outcome
from musig2.protocol.interface.inputs import PeerConnected, PeerDisconnected

log = structlog.get_logger("musigd.signing")
Goal = tuple[bytes, int]  # a request and one of its signers


@dataclass(slots=True)
class _Chase:
    """The state of the search for one signer's peer."""

    pause_ms: int
    due_ms: int | None = None  # None: a dial is under way


class Delivery:
    """Keeps the signers of live requests connected."""

    def __init__(
        self,
        *,
        network: SigningNetwork,
        discovery: SignerDirectory,
        roster: Roster,
        clock: Clock,
        limits: SigningLimits,
        put: Callable[[Callable[[Turn], object]], None],
        unreached: Callable[[OpenRequest], None],
    ) -> None:
        """`put` hands work to the engine; `unreached` is told when a signer could not be found or dialled."""
        self._network = network
        self._discovery = discovery
        self._roster = roster
        self._clock = clock
        self._limits = limits
        self._put = put
        self._unreached = unreached
        self._chases: dict[Goal, _Chase] = {}
        self._queue: list[tuple[int, Goal]] = []
        self._tasks = BackgroundTasks("signing")
        self._dials = BackgroundTasks("signing")
        self._wake = asyncio.Event()

    def start(self) -> None:
        """Begin to dial."""
        self._tasks.lasting("delivery", self._run)

    async def stop(self) -> None:
        """Cancel all dials."""
        await self._tasks.stop()
        await self._dials.stop()

    def pursue(self, entry: OpenRequest) -> None:
        """Connect to the signers of this request that should be connected and are not."""
        hubs = self._spoken_to(entry)
        for index in entry.others if hubs is None else hubs:
            self.unreachable(entry, index)

    def _spoken_to(self, entry: OpenRequest) -> list[int] | None:
        """The hubs, if one is connected: then the others need not be looked at, at each join of each."""
        keys, hubs = entry.request.record.keys, self._hubs(entry)
        if entry.request.record.creator in entry.own or not any(self._reached(entry, hub) for hub in hubs):
            return None
        return [index for index in hubs if keys[index] not in entry.own]

    def unreachable(self, entry: OpenRequest, index: int) -> None:
        """Dial that signer's peer, if it is for this daemon to do so."""
        goal = (entry.request.id, index)
        if goal in self._chases or not self._wanted(entry, index):
            return
        self._chases[goal] = _Chase(self._limits.first_pause_ms)
        self._at(goal, self._clock.mono_ms() + self._patience(entry, index))

    def _patience(self, entry: OpenRequest, index: int) -> int:
        """How long to wait with a dial that is needed only if others fail."""
        hubs = self._hubs(entry)
        spare = hubs and index != hubs[0] and entry.request.record.creator not in entry.own
        return self._limits.spare_pause_ms if spare and self._reached(entry, hubs[0]) else 0

    def _hubs(self, entry: OpenRequest) -> list[int]:
        """The signers at which the others meet, the creator first; none where everybody dials everybody."""
        return entry.machine.hubs()

    def _wanted(self, entry: OpenRequest, index: int) -> bool:
        live = entry.machine.outcome.live and not entry.unsolicited
        due = live or self._to_be_told(entry)
        return due and not self._reached(entry, index) and self._neighbours(entry, index)

    def _to_be_told(self, entry: OpenRequest) -> bool:
        """Whether an own key declined or cancelled it, so that the others should be told while it is in memory."""
        ended = entry.machine.outcome in (Outcome.DECLINED, Outcome.CANCELLED)
        return ended and entry.machine.ended_by in entry.own

    def _reached(self, entry: OpenRequest, index: int) -> bool:
        return any(self._network.connected(peer) for peer in entry.peers_of(index))

    def _neighbours(self, entry: OpenRequest, index: int) -> bool:
        """Whether this daemon dials that signer: all in a small request, the hubs in a large one."""
        keys, hubs = entry.request.record.keys, self._hubs(entry)
        if not hubs or entry.request.record.creator in entry.own or index in hubs:
            return True
        if any(self._reached(entry, hub) for hub in hubs):
            return False
        steps = ((index - position) % len(keys) for position, key in enumerate(keys) if key in entry.own)
        return any(step.bit_count() == 1 for step in steps)

    def connected(self, turn: Turn, peer: bytes) -> None:
        """This peer is connected: it gets the requests it lacks, and the machines exchange `have`."""
        for entry in self._roster.of_peer(peer):
            known = any(True for _ in entry.index_of(peer))
            if known and (entry.machine.outcome.live or self._to_be_told(entry)):
                self.meet(turn, entry, peer)

    def meet(self, turn: Turn, entry: OpenRequest, peer: bytes) -> None:
        """Exchange what both hold of one request with a peer of one of its signers."""
        if entry.may_lack_it(peer):
            introduce(turn, entry, peer, entry.index_of(peer))
        else:
            turn.feed(entry, PeerConnected(peer))

    def _arrived(self, turn: Turn, request: bytes, peer: bytes) -> None:
        entry = self._roster.get(request)
        if entry is not None:
            self.meet(turn, entry, peer)

    def disconnected(self, turn: Turn, peer: bytes) -> None:
        """The last connection to this peer was closed."""
        for entry in self._roster.of_peer(peer):
            entry.handover.lost(peer, entry.index_of(peer))
            turn.feed(entry, PeerDisconnected(peer))
            for index in entry.index_of(peer):
                self.unreachable(entry, index)
            if self._hubs(entry):
                self._hurry(entry)

    def _hurry(self, entry: OpenRequest) -> None:
        """Somebody of a large request is gone: dial now what was to be dialled later, if it was needed for that."""
        self.pursue(entry)
        now = self._clock.mono_ms()
        for index in self._hubs(entry):
            chase = self._chases.get((entry.request.id, index))
            untried = chase is not None and chase.due_ms is not None and chase.pause_ms == self._limits.first_pause_ms
            if untried and not self._patience(entry, index):
                self._at((entry.request.id, index), now)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            pause = self._start_due()
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _start_due(self) -> float | None:
        """Start the dials that are due, as many as may run at once; returns the seconds until the next one."""
        now = self._clock.mono_ms()
        while self._queue and len(self._dials) < self._limits.dials:
            due, goal = self._queue[0]
            if due > now:
                return (due - now) / 1000
            heapq.heappop(self._queue)
            chase = self._chases.get(goal)
            if chase is not None and chase.due_ms == due:
                chase.due_ms = None
                self._dial(goal, chase)
        return None

    def _dial(self, goal: Goal, chase: _Chase) -> None:
        dial = self._dials.once("dial", self._chase(goal, chase))
        dial.add_done_callback(lambda _: self._wake.set())

    async def _chase(self, goal: Goal, chase: _Chase) -> None:
        request, index = goal
        entry = self._roster.get(request)
        if entry is None or not self._wanted(entry, index):
            del self._chases[goal]
            return
        peer = await self._find(entry, index)
        if peer is not None:
            del self._chases[goal]
            self._put(lambda turn: self._arrived(turn, request, peer))
            return
        self._at(goal, self._clock.mono_ms() + chase.pause_ms)
        chase.pause_ms = min(2 * chase.pause_ms, self._limits.longest_pause_ms)
        self._unreached(entry)

    async def _find(self, entry: OpenRequest, index: int) -> bytes | None:
        """Connect to a peer of that signer: known addresses first, then those that the network names."""
        key = entry.request.record.keys[index]
        join = entry.machine.joins[index]
        known = [(join.record.peer, join.record.addrs)] if join is not None else []
        known += list(self._discovery.peers_of(key))
        peer = await self._try(entry, index, known)
        return peer if peer is not None else await self._try(entry, index, await self._discovery.resolve(key))

    async def _try(self, entry: OpenRequest, index: int, routes: Sequence[Route]) -> bytes | None:
        routes = [route for route in routes if route[0] != self._network.peer]
        if routes:
            self._roster.suggest(entry, index, (peer for peer, _ in routes))
        for peer, addrs in routes:
            if self._network.connected(peer) or await self._network.dial(peer, addrs):
                return peer
        return None

    def _at(self, goal: Goal, due_ms: int) -> None:
        self._chases[goal].due_ms = due_ms
        heapq.heappush(self._queue, (due_ms, goal))
        self._wake.set()
