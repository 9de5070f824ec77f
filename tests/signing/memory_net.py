"""A network in memory with the facade of `p2p.network.Network`, as far as signing uses it.

Frames travel as bytes and are opened, and their signatures checked, where they arrive, as the gate does. A `Hub` joins
the nodes; it can lose, duplicate, delay and reorder frames, cut links, and remembers all that went over the wire.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from musig2.protocol.records.envelope import check_many
from musig2.protocol.wire.frame_codec import open_frame, signed_in
from musig2.protocol.wire.frames import Frame
from p2p.network import Offence, Work

MAX_FRAME = 1_048_576
LONGEST_S = 180


class MemorySink(Protocol):
    def on_frames(self, batch: Sequence[tuple[bytes, Frame]]) -> None: ...
    def on_connected(self, peer: bytes) -> None: ...
    def on_disconnected(self, peer: bytes) -> None: ...


@dataclass
class Hub:
    """Where all nodes meet. Probabilities are per frame and link."""

    seed: int = 0
    loss: float = 0.0
    duplication: float = 0.0
    delay_ms: tuple[float, float] | None = None
    nodes: dict[bytes, MemoryNet] = field(default_factory=dict)
    cut: set[frozenset[bytes]] = field(default_factory=set)
    unreachable: set[frozenset[bytes]] = field(default_factory=set)  # pairs that cannot dial each other
    carried: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)  # (from, to, frame)
    sources: dict[bytes, bytes] = field(default_factory=dict)  # address ranges of peers; without one, each is its own
    watch: Callable[[bytes, bytes, bytes], None] | None = None
    lose: Callable[[bytes, Frame], bool] | None = None  # which frames of a sender never arrive

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def join(self, peer: bytes, sink: MemorySink) -> MemoryNet:
        """A node of that peer id; one that was there before is gone."""
        self.nodes[peer] = node = MemoryNet(self, peer, sink)
        return node

    def leave(self, peer: bytes) -> None:
        """Remove a node without a goodbye: the others see their connections end."""
        node = self.nodes.pop(peer)
        for other in list(node.links):
            self.disconnect(peer, other, node)

    def disconnect(self, one: bytes, other: bytes, dead: MemoryNet | None = None) -> None:
        for here, there in ((one, other), (other, one)):
            node = self.nodes.get(here)
            if node is None and dead is not None and dead.peer == here:
                dead.links.discard(there)
            elif node is not None and there in node.links:
                node.links.discard(there)
                node.sink.on_disconnected(there)

    def partition(self, *groups: Sequence[bytes]) -> None:
        """Cut every link between these groups, until `heal`."""
        for index, group in enumerate(groups):
            for other in groups[index + 1 :]:
                for one in group:
                    for two in other:
                        self.cut.add(frozenset((one, two)))
                        self.disconnect(one, two)

    def heal(self) -> None:
        """Let every node dial every other again."""
        self.cut.clear()

    def connect(self, one: bytes, other: bytes) -> bool:
        pair = frozenset((one, other))
        here, there = self.nodes.get(one), self.nodes.get(other)
        if here is None or there is None or pair in self.cut or pair in self.unreachable or one == other:
            return False
        if other not in here.links:
            here.links.add(other)
            there.links.add(one)
            here.sink.on_connected(other)
            there.sink.on_connected(one)
        return True

    async def passed(self, wanted: Callable[[Frame], bool]) -> None:
        """Wait for the next frame of that kind, on whichever link, lost or not."""
        seen = asyncio.Event()

        def watch(sender: bytes, receiver: bytes, data: bytes) -> None:
            if wanted(open_frame(data, max_bytes=MAX_FRAME)):
                seen.set()

        self.watch = watch
        async with asyncio.timeout(LONGEST_S):
            await seen.wait()
        self.watch = None

    def carry(self, sender: bytes, receiver: bytes, frames: Sequence[bytes]) -> None:
        loop = asyncio.get_running_loop()
        for frame in frames:
            self.carried.append((sender, receiver, frame))
            if self.watch is not None:
                self.watch(sender, receiver, frame)
        lose = self.lose
        if lose is not None:
            frames = [frame for frame in frames if not lose(sender, open_frame(frame, max_bytes=MAX_FRAME))]
        kept = [frame for frame in frames if self._random.random() >= self.loss]
        kept += [frame for frame in kept if self._random.random() < self.duplication]
        if not kept:
            return
        if self.delay_ms is None:
            loop.call_soon(self._arrive, sender, receiver, kept)
            return
        for frame in kept:
            loop.call_later(self._random.uniform(*self.delay_ms) / 1000, self._arrive, sender, receiver, [frame])

    def _arrive(self, sender: bytes, receiver: bytes, frames: list[bytes]) -> None:
        node = self.nodes.get(receiver)
        if node is not None and sender in node.links:
            node.arrive(sender, frames)


class MemoryNet:
    """One node."""

    def __init__(self, hub: Hub, peer: bytes, sink: MemorySink) -> None:
        self.hub = hub
        self.peer = peer
        self.sink = sink
        self.links: set[bytes] = set()
        self.offences = 0
        self.charged: defaultdict[tuple[bytes, Work], float] = defaultdict(float)
        self.fines: defaultdict[bytes, float] = defaultdict(float)
        self.hurried = 0
        self.blamed: Counter[tuple[bytes, Offence]] = Counter()

    def send(self, peer: bytes, frames: Sequence[bytes]) -> bool:
        if peer not in self.links:
            return False
        self.hub.carry(self.peer, peer, frames)
        return True

    def send_optional(self, peer: bytes, frames: Sequence[bytes]) -> None:
        self.send(peer, frames)

    def connected(self, peer: bytes) -> bool:
        return peer in self.links

    def source_of(self, peer: bytes) -> bytes:
        return self.hub.sources.get(peer, peer)

    def offend(self, peer: bytes, kind: Offence) -> None:
        self.blamed[peer, kind] += 1

    def charge(self, peer: bytes, work: Work, amount: float = 1) -> None:
        self.charged[peer, work] += amount

    def fine(self, peer: bytes, amount: float = 1) -> None:
        self.fines[peer] += amount

    def hurry(self) -> None:
        self.hurried += 1

    async def dial(self, peer: bytes, addrs: Sequence[bytes], *, hearsay: bool = False) -> bool:
        await asyncio.sleep(0)
        return self.hub.connect(self.peer, peer)

    def arrive(self, sender: bytes, frames: list[bytes]) -> None:
        good, bad = open_arrived(frames)
        self.offences += bad
        if good:
            self.sink.on_frames([(sender, frame) for frame in good])


def open_arrived(frames: Sequence[bytes]) -> tuple[list[Frame], int]:
    """Frames opened as the gate does it, without those that are badly signed; and how many those were."""
    opened = [(frame, signed_in(frame)) for frame in (open_frame(data, max_bytes=MAX_FRAME) for data in frames)]
    good = check_many([signed for _, inside in opened for signed in inside])
    answers = iter(good)
    kept = [frame for frame, inside in opened if sum(next(answers) for _ in inside) == len(inside)]
    return kept, good.count(False)
