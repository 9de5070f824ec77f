"""When to synchronise, and with whom.

At once with a peer that this node dialled, and with one that says hello and has something new; at intervals with a few
connected peers from different address ranges; and when a client asks for it. Every tenth regular round compares digests
even if the cursors say that nothing is new.

Topics carry an advertisement to those who follow its type and are connected through others who do. Everybody else gets
it by rumour: a node whose log has grown says hello to a few peers, which read what is new and say hello in turn.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from daemon.clock import Clock
from daemon.discovery.directory.address_ranges import range_of_text
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.ports import DirectoryNetwork
from daemon.discovery.sync.conversation import End, Report
from daemon.discovery.sync.pull import Puller
from musig2.protocol.records.peers import peer_text
from musig2.protocol.wire.sync import Hello
from p2p.network import Direction, PeerChange, PeerInfo

T = TypeVar("T")
log = structlog.get_logger("musigd.discovery")

AT_ONCE = 4
GREETED_AT_ONCE = 2  # concurrent pulls that others started by a hello; own rounds have slots of their own
GREETED_WAITING = 32  # further ones are left to the regular rounds
SLOW_MS = 5 * 60_000  # how long a slow peer is chosen last and its hello ignored
COMPARE_EVERY = 10
AGAIN_MS = 1_000
REFRESH_MS = 1_500
REMEMBERED = 64
RUMOUR_MS = 2_000
RUMOUR_PEERS = 4


class Rounds:
    """One task for the regular rounds, and short ones for single pulls."""

    def __init__(self, *, net: DirectoryNetwork, clock: Clock, limits: DiscoveryLimits, puller: Puller) -> None:
        self._net = net
        self._clock = clock
        self._limits = limits
        self._puller = puller
        self._running: dict[bytes, asyncio.Task[Report]] = {}
        self._again: dict[bytes, bool] = {}  # greeted
        self._queued: set[bytes] = set()  # peers that said hello and wait for a slot
        self._slow: OrderedDict[bytes, int] = OrderedDict()  # until
        self._later: dict[bytes, asyncio.TimerHandle] = {}
        self._rumour: asyncio.TimerHandle | None = None
        self._aside: set[asyncio.Task[Any]] = set()  # greetings, and waits for a pull
        self._stopped = False
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._greeted_slots = asyncio.Semaphore(GREETED_AT_ONCE)
        self._last_ms: OrderedDict[bytes, int] = OrderedDict()
        self._compare = asyncio.Event()
        self.completed = 0  # pulls that ended with equal logs since the start

    def on_peer(self, change: PeerChange) -> None:
        """Pull from a peer that was dialled; its side says hello by itself."""
        if change.connected and change.direction is Direction.OUTBOUND:
            self._soon(change.peer)

    def greeted(self, peer: bytes, hello: Hello) -> None:
        """A peer said what its log holds."""
        if self._puller.is_behind(peer, hello):
            self._soon(peer, greeted=True)

    def grew(self) -> None:
        """Something new was stored: say hello to a few peers soon, once for all that arrives until then."""
        if self._rumour is None and not self._stopped:
            wait_s = RUMOUR_MS * random.uniform(0.5, 1.5) / 1000  # noqa: S311 - spreads load
            self._rumour = asyncio.get_running_loop().call_later(wait_s, self._spread)

    def _spread(self) -> None:
        self._rumour = None
        for info in self._choose(RUMOUR_PEERS):
            if info.peer not in self._running:
                self._start(self._greet(info.peer), "musigd directory hello")

    async def _greet(self, peer: bytes) -> None:
        """Say hello; the answer shows whether the peer has something new for us."""
        if await self._puller.greet(peer):
            self._soon(peer, greeted=True)

    def pull(self, peer: bytes, *, compare: bool = False, greeted: bool = False) -> asyncio.Task[Report]:
        """Synchronise with a peer soon; one pull per peer at a time. `greeted`: because it said hello."""
        task = self._running.get(peer)
        if task is not None and peer in self._queued and not greeted:
            self._queued.discard(peer)
            task.cancel()  # own rounds do not queue behind those who said hello
            task = None
        if task is None:
            task = asyncio.create_task(self._pull(peer, compare, greeted), name="musigd directory pull")
            self._running[peer] = task
            if greeted:
                self._queued.add(peer)
            task.add_done_callback(lambda done: self._ended(peer, done))
        return task

    def _soon(self, peer: bytes, *, greeted: bool = False) -> None:
        """Pull now, and once more if a pull is under way: it may have asked before there was something new.

        A peer whose log grows all the time is read once in AGAIN_MS. A pull that waits for a slot has not asked yet.
        """
        waits = peer in self._queued
        if self._stopped or (greeted and (waits or self._is_slow(peer) or len(self._queued) >= GREETED_WAITING)):
            return
        if peer in self._running and not waits:
            self._again[peer] = greeted and self._again.get(peer, True)
            return
        wait_ms = self._last_ms.get(peer, -AGAIN_MS) + AGAIN_MS - self._clock.mono_ms()
        if wait_ms <= 0:
            self.pull(peer, greeted=greeted)
        elif not greeted or peer not in self._later:
            if peer in self._later:
                self._later[peer].cancel()
            self._later[peer] = asyncio.get_running_loop().call_later(wait_ms / 1000, self._now, peer, greeted)

    def _now(self, peer: bytes, greeted: bool) -> None:
        self._later.pop(peer, None)
        if self._net.connected(peer):
            self.pull(peer, greeted=greeted)

    def _ended(self, peer: bytes, task: asyncio.Task[Report]) -> None:
        if self._running.get(peer) is not task:
            return  # another took its place
        del self._running[peer]
        self._queued.discard(peer)
        if not task.cancelled() and task.exception() is not None:
            log.error("what a peer sent could not be stored", peer=peer_text(peer), exc_info=task.exception())
        greeted = self._again.pop(peer, None)
        if greeted is not None and self._net.connected(peer):
            self._soon(peer, greeted=greeted)

    def _start(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=name)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)
        return task

    def _is_slow(self, peer: bytes) -> bool:
        return self._slow.get(peer, 0) > self._clock.mono_ms()

    def compare_soon(self) -> None:
        """Something was lost here: compare digests with peers now."""
        self._compare.set()

    async def refresh(self) -> int:
        """Synchronise with a few peers, within the time a client waits; returns how many ended with equal logs."""
        return await self._read_some(REFRESH_MS)

    async def _read_some(self, patience_ms: float, *, compare: bool = False) -> int:
        """Synchronise with a few peers; returns how many ended in time with equal logs. The others continue."""
        peers = [info.peer for info in self._choose(self._limits.sync_peers)]
        tasks = [self._start(self._afresh(peer, compare), "musigd directory round") for peer in peers]
        if not tasks:
            return 0
        try:
            done, _ = await asyncio.wait(tasks, timeout=patience_ms / 1000)
        finally:
            for task in tasks:
                task.cancel()
        return sum(_is_in_step(task) for task in done)

    async def _afresh(self, peer: bytes, compare: bool) -> Report:
        """A pull that begins now: one that is under way may have asked already."""
        if peer in self._running and peer not in self._queued:
            await asyncio.wait([self._running[peer]])
        return await asyncio.shield(self.pull(peer, compare=compare))

    async def run(self) -> None:
        """The regular rounds, for as long as the daemon runs."""
        self._stopped = False
        number, owed = 0, False
        while True:
            pause_ms = self._limits.sync_every_ms * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load
            lost = await self._paused(pause_ms)
            number += 1
            compare = owed or lost or number % COMPARE_EVERY == 0
            in_step = await self._read_some(self._limits.sync_every_ms, compare=compare)
            owed = compare and not in_step  # there was no peer to compare with, or none answered

    async def stop(self) -> None:
        """End the pulls that are under way."""
        self._stopped = True
        for timer in self._later.values():
            timer.cancel()
        self._later.clear()
        if self._rumour is not None:
            self._rumour.cancel()
            self._rumour = None
        tasks: list[asyncio.Task[Any]] = [*self._running.values(), *self._aside]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _paused(self, pause_ms: float) -> bool:
        """Wait; True if woken because something was lost."""
        try:
            async with asyncio.timeout(pause_ms / 1000):
                await self._compare.wait()
        except TimeoutError:
            return False
        self._compare.clear()
        return True

    async def _pull(self, peer: bytes, compare: bool, greeted: bool) -> Report:
        async with self._greeted_slots if greeted else self._slots:
            self._queued.discard(peer)
            self._last_ms[peer] = self._clock.mono_ms()
            report = await self._puller.pull(peer, compare=compare)
        self.completed += report.end is End.IN_STEP
        if report.end is End.SLOW:
            self._slow[peer] = self._clock.mono_ms() + SLOW_MS
        for remembered in (self._last_ms, self._slow):
            while len(remembered) > REMEMBERED:
                remembered.popitem(last=False)
        return report

    def _choose(self, count: int) -> list[PeerInfo]:
        """Random peers from as many address ranges and directions as possible; slow ones last."""
        peers = self._net.peers()
        random.shuffle(peers)
        seen: set[object] = set()
        first: list[PeerInfo] = []
        rest: list[PeerInfo] = []
        slow = [info for info in peers if self._is_slow(info.peer)]
        for info in peers:
            if self._is_slow(info.peer):
                continue
            source = (info.direction, range_of_text(info.multiaddrs))
            (rest if source in seen else first).append(info)
            seen.add(source)
        return (first + rest + slow)[:count]


def _is_in_step(task: asyncio.Task[Report]) -> bool:
    return not task.cancelled() and task.exception() is None and task.result().end is End.IN_STEP
