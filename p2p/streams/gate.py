"""The only way in for bytes from peers: decodes strictly, checks signatures in batches, counts faults per peer.

What no honest peer sends counts towards a ban; being too fast or too late does not. Everything here runs on the trio
side. Nothing is kept here but a short memory of good envelopes.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import trio

from musig2.protocol.errors import BadEncoding
from musig2.protocol.records.checks import RecordLimits, Stated, check_record
from musig2.protocol.records.envelope import check_many, open_envelope
from musig2.protocol.records.records import Advertisement, Join, Record, Request
from musig2.protocol.records.requests import aggregations
from musig2.protocol.wire.frame_codec import is_fetch, open_frame, signed_in
from musig2.protocol.wire.frames import Fetch, Frame, Signed
from p2p.ports import Offence, Standing
from p2p.rates import Fading, Paces
from p2p.settings import NetworkConfig
from p2p.streams.accounts import Accounts
from p2p.streams.prices import Work

KIB = 1024
IN_THREAD_FROM = 8  # signatures: fewer are checked faster than a thread is woken
PIECE = 4_000.0  # microseconds of work for one that is not known, after which the others have their turns
KNOWN_GOOD = 8_192
FETCH_RATE = 128 * 1024  # bytes per second and peer: one of the largest, or twenty ordinary ones
MAX_COUNTED_PEERS = 4_096
COUNTING = (Offence.BAD_ENCODING, Offence.BAD_SIGNATURE, Offence.BAD_REQUEST)


class Reports(Protocol):
    """Where the gate reports faults; called on the trio side."""

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        """A fault of a peer."""

    def on_ban(self, peer: bytes, reason: str) -> None:
        """The peer reached the limit."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What the four checks of a record need: the gate for encoding and signatures, the limits, the wall clock."""

    gate: PeerGate
    limits: RecordLimits
    clock_ms: Callable[[], int]

    def timely(self, size: int, record: Stated, *, live: bool) -> bool:
        """The first three checks: size, timestamp, expiry."""
        return check_record(size, record, self.clock_ms(), self.limits, live) is None


class PeerGate:
    """Decodes and checks what peers send, and counts their faults."""

    def __init__(
        self,
        config: NetworkConfig,
        reports: Reports,
        accounts: Accounts,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self.accounts = accounts
        self._reports = reports
        self._steady_s = steady_s
        self._faults: OrderedDict[bytes, Fading] = OrderedDict()
        self._fetches = Paces(FETCH_RATE, 4 * FETCH_RATE)
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self.counts: Counter[str] = Counter()

    async def frames(self, peer: bytes, parts: Sequence[bytes]) -> list[Frame]:
        """The good ones among encoded frames, in order; the others are counted against the peer.

        Waits before each piece of work until the peer owes nothing.
        """
        self.accounts.charge(peer, Work.FRAME, len(parts))
        self.accounts.charge(peer, Work.KIB, sum(map(len, parts)) / KIB)
        await self.accounts.settled(peer)
        opened = [frame for part in parts if (frame := self._open_frame(peer, part)) is not None]
        good: list[Frame] = []
        for piece in self._pieces(peer, opened):
            await self.accounts.settled(peer)
            good += await self._checked(peer, piece)
        return good

    def _pieces(self, peer: bytes, frames: Sequence[Frame]) -> Iterator[Sequence[Frame]]:
        """Frames that are charged, and done, before the next are; all at once for a known peer."""
        known, start, price = self.accounts.standing(peer) is Standing.KNOWN, 0, 0.0
        for end, frame in enumerate(frames, 1):
            price += self._charge(peer, frame)
            if end == len(frames) or (price >= PIECE and not known):
                yield frames[start:end]
                start, price = end, 0.0

    async def _checked(self, peer: bytes, opened: Sequence[Frame]) -> list[Frame]:
        """Those whose signatures hold."""
        inside = [(frame, signed) for frame in opened for signed in signed_in(frame)]
        results = await self.check([signed for _, signed in inside])
        bad = {id(frame) for (frame, _), good in zip(inside, results, strict=True) if not good}
        for _ in bad:
            self.fault(peer, Offence.BAD_SIGNATURE)
        return [frame for frame in opened if id(frame) not in bad]

    def _charge(self, peer: bytes, frame: Frame) -> float:
        """Charge the cost of checking this frame and acting on it; microseconds."""
        charge = self.accounts.charge
        match frame:
            case Signed(record=Request() as record):
                keys, items = aggregations(record), len(record.items)
                price = charge(peer, Work.SIGNATURE) + charge(peer, Work.KEY, keys)
                return price + charge(peer, Work.REQUEST) + charge(peer, Work.ITEM, items)
            case Signed(record=record):
                signatures = 2 if isinstance(record, (Join, Advertisement)) else 1
                return charge(peer, Work.SIGNATURE, signatures) + charge(peer, Work.ROW)
            case Fetch(delegations=shown):
                return charge(peer, Work.SIGNATURE, 2 * len(shown)) + charge(peer, Work.FETCH, len(shown))
            case _:
                return 0.0

    def pause_s(self, peer: bytes, parts: Sequence[bytes]) -> float:
        """How long not to read from a peer that sends more fetches than honest ones do."""
        fetched = sum(len(part) for part in parts if is_fetch(part))
        now = self._steady_s()
        return self._fetches.of(peer, now).owe(fetched, now) if fetched else 0.0

    def _open_frame(self, peer: bytes, part: bytes) -> Frame | None:
        try:
            return open_frame(part, max_bytes=self._config.max_frame_bytes)
        except BadEncoding:
            self.fault(peer, Offence.BAD_ENCODING)
            return None

    def envelope(self, peer: bytes | None, data: bytes) -> Signed[Record] | None:
        """A decoded envelope whose signatures are still to be checked; None if it is malformed."""
        try:
            return open_envelope(data, max_bytes=self._config.max_gossip_bytes)
        except BadEncoding:
            if peer is not None:
                self.fault(peer, Offence.BAD_ENCODING)
            return None

    async def check(self, signed: Sequence[Signed[Record]]) -> list[bool]:
        """Whether the signatures of each hold; many at once are checked outside the event loop."""
        keys = [blake2b(item.envelope, digest_size=16).digest() for item in signed]
        unknown = [item for item, key in zip(signed, keys, strict=True) if key not in self._good]
        if len(unknown) >= IN_THREAD_FROM:
            results = await trio.to_thread.run_sync(check_many, unknown)
        else:
            results = check_many(unknown) if unknown else []
        verdict = {id(item): good for item, good in zip(unknown, results, strict=True)}
        return [self._remember(key, verdict.get(id(item), True)) for item, key in zip(signed, keys, strict=True)]

    def check_now(self, signed: Signed[Record]) -> bool:
        """As `check`, for one, where the caller cannot wait."""
        key = blake2b(signed.envelope, digest_size=16).digest()
        return key in self._good or self._remember(key, check_many([signed])[0])

    def _remember(self, key: bytes, good: bool) -> bool:
        if good:
            self._good[key] = None
            self._good.move_to_end(key)
            if len(self._good) > KNOWN_GOOD:
                self._good.popitem(last=False)
        return good

    def fault(self, peer: bytes, kind: Offence) -> None:
        """Count and report a fault of a peer; enough of those that count end in a ban."""
        self.counts[kind.value] += 1
        self._reports.on_offence(peer, kind)
        if kind not in COUNTING:
            return
        now = self._steady_s()
        fading = self._faults.setdefault(peer, Fading(self._config.offence_half_life_ms / 1000, now))
        self._faults.move_to_end(peer)
        if fading.add(now) > self._config.ban_after - 0.5:
            del self._faults[peer]
            self._reports.on_ban(peer, f"{self._config.ban_after} messages that no honest peer sends")
        elif len(self._faults) > MAX_COUNTED_PEERS:
            self._faults.popitem(last=False)

    def forgive(self, peer: bytes) -> None:
        """Forget the faults of a peer."""
        self._faults.pop(peer, None)
