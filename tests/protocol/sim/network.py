"""An in-memory network: order, loss, duplication, delay, partition; and a count of what went over it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from musig2.protocol.wire.frame_codec import encode_frame, open_frame
from musig2.protocol.wire.frames import Frame, Signed
from tests.protocol.sim.clock import Clock

Deliver = Callable[[bytes, Frame], None]


@dataclass(slots=True)
class Weather:
    """How bad the network is. Frames on one link keep their order unless `reorder`."""

    loss: float = 0.0
    duplication: float = 0.0
    delay_ms: tuple[int, int] = (1, 1)
    reorder: bool = False
    coded: bool = False  # every frame travels as bytes


class Network:
    """Links between peers. A link that is cut loses what is sent over it; healing tells both ends."""

    def __init__(self, clock: Clock, rng: random.Random, weather: Weather) -> None:
        self.clock = clock
        self.rng = rng
        self.weather = weather
        self.sent: Counter[str] = Counter()
        self.taps: list[Callable[[bytes, bytes, Frame], None]] = []
        self._peers: dict[bytes, Deliver] = {}
        self._connected: dict[bytes, Callable[[bytes, bool], None]] = {}
        self._cut: set[frozenset[bytes]] = set()
        self._last: dict[tuple[bytes, bytes], int] = {}

    def attach(self, peer: bytes, deliver: Deliver, connected: Callable[[bytes, bool], None]) -> None:
        self._peers[peer] = deliver
        self._connected[peer] = connected

    def reachable(self, one: bytes, other: bytes) -> bool:
        return other in self._peers and frozenset((one, other)) not in self._cut

    def cut(self, one: bytes, other: bytes) -> None:
        """Break a link; both ends notice."""
        self._cut.add(frozenset((one, other)))
        self._tell(one, other, False)

    def heal(self, one: bytes, other: bytes) -> None:
        self._cut.discard(frozenset((one, other)))
        self._tell(one, other, True)

    def heal_all(self) -> None:
        for link in list(self._cut):
            self.heal(*link)

    def split(self, side: set[bytes]) -> None:
        """Cut every link between that side and the rest."""
        for one, other in combinations(self._peers, 2):
            if (one in side) != (other in side):
                self.cut(one, other)

    def hang_up(self, peer: bytes) -> None:
        """A process died: whoever was connected to it notices."""
        for other in self._peers:
            if other != peer and self.reachable(peer, other):
                self._connected[other](peer, False)

    def call(self, peer: bytes) -> None:
        """A process came up and connects to everybody within reach."""
        for other in list(self._peers):
            if other != peer and self.reachable(peer, other):
                self._tell(peer, other, True)

    def send(self, source: bytes, target: bytes, frame: Frame) -> None:
        if not self.reachable(source, target):
            return
        self.sent[_kind(frame)] += 1
        for tap in self.taps:
            tap(source, target, frame)
        weather = self.weather
        if weather.loss and self.rng.random() < weather.loss:
            return
        copies = 2 if weather.duplication and self.rng.random() < weather.duplication else 1
        for _ in range(copies):
            self._carry(source, target, frame)

    def _carry(self, source: bytes, target: bytes, frame: Frame) -> None:
        time = self.clock.mono_ms + self.rng.randint(*self.weather.delay_ms)
        if not self.weather.reorder:
            time = self._last[source, target] = max(time, self._last.get((source, target), 0))
        if self.weather.coded:
            frame = open_frame(encode_frame(frame), max_bytes=1 << 20)
        self.clock.at(time, lambda: self._arrive(source, target, frame))

    def _arrive(self, source: bytes, target: bytes, frame: Frame) -> None:
        if self.reachable(source, target):
            self._peers[target](source, frame)

    def _tell(self, one: bytes, other: bytes, up: bool) -> None:
        for peer, far in ((one, other), (other, one)):
            if peer in self._connected:
                self._connected[peer](far, up)


def _kind(frame: Frame) -> str:
    if not isinstance(frame, Signed):
        return type(frame).__name__.lower()
    record = frame.record
    seq = getattr(record, "seq", None)
    return type(record).__name__.lower() if seq is None else ("nonce", "partial", "abort", "done")[seq - 1]
