"""What the asyncio side knows of the trio side without asking: who is connected, where this node listens.

The methods of `NodeOutlet` run on the trio side and hand over; everything else runs on the asyncio loop. What is handed
over arrives in order, so a peer is known here before its first frame and until after its last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import trio

from config.text.plain_text import cleaned
from musig2.protocol.records.peers import peer_text
from musig2.protocol.wire.frames import Frame
from p2p.addresses import join_peer
from p2p.bridge.portal import Portal
from p2p.ports import (
    BadAsk,
    BootstrapFault,
    Departure,
    GossipItem,
    Offence,
    PeerArrival,
    PeerChange,
    PeerInfo,
    Reachability,
    Sink,
)
from p2p.streams.outbox import PeerOutbox

log = logging.getLogger(__name__)
CROWDED = 5_000  # readers wait above so many items that were handed over and not taken
WAIT_S = 0.005
HELD = 64  # frames


@dataclass(slots=True)
class ConnectedPeer:
    """A connected peer."""

    outbox: PeerOutbox
    arrival: PeerArrival
    since_ms: int
    multiaddrs: tuple[str, ...]
    agent: str | None = None
    optional: bool | None = None  # whether it takes frames that not every version knows; None until it has said so
    held: list[bytes] = field(default_factory=list)  # such frames, until then


class Mirror:
    """Implements `NodeOutlet` for one life of the node after the other, and calls the sink."""

    def __init__(self, sink: Sink, clock_ms: Callable[[], int], banish: Callable[[bytes], None]) -> None:
        self._sink = sink
        self._clock_ms = clock_ms
        self._banish = banish
        self._answering: set[asyncio.Task[None]] = set()
        self.answer: Callable[[bytes, int, bytes], None]
        self.refuse: Callable[[bytes, int, bool], None]
        self.send: Callable[[bytes, Sequence[bytes]], bool]
        self.portal: Portal
        self.contacts: dict[bytes, ConnectedPeer] = {}
        self.bound: tuple[str, ...] = ()
        self.multiaddrs: tuple[str, ...] = ()
        self.found = Reachability()
        self.faults: tuple[BootstrapFault, ...] = ()

    # On the trio side.

    async def room(self) -> None:
        """Wait while the asyncio side is behind."""
        while self.portal.backlog > CROWDED:  # noqa: ASYNC110 - the other loop has no cheap way to set an event here
            await trio.sleep(WAIT_S)

    def frames(self, peer: bytes, frames: Sequence[Frame]) -> None:
        """Hand over."""
        for frame in frames:
            self.portal.emit(self._sink.on_frames, (peer, frame))

    def gossip(self, item: GossipItem) -> None:
        """Hand over."""
        self.portal.emit(self._sink.on_gossip, item)

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        """Hand over."""
        self.portal.emit(self._offences, (peer, kind))

    def on_ban(self, peer: bytes, reason: str) -> None:
        """Refuse the peer from now on, then hand over."""
        self._banish(peer)
        self.portal.emit(self._bans, (peer, reason))

    def question(self, peer: bytes, number: int, payload: bytes) -> None:
        """Hand over."""
        self.portal.emit(self._questions, (peer, number, payload))

    def arrived(self, peer: bytes, arrival: PeerArrival, outbox: PeerOutbox) -> None:
        """Hand over."""
        self.portal.emit(self._arrivals, (peer, arrival, outbox))

    def improved(self, peer: bytes, arrival: PeerArrival) -> None:
        """Hand over."""
        self.portal.emit(self._improvements, (peer, arrival))

    def left(self, peer: bytes, why: Departure) -> None:
        """Hand over."""
        self.portal.emit(self._departures, (peer, why))

    def in_session(self, peer: bytes) -> bool:
        """Ask the sink."""
        return self._sink.in_session(peer)

    def identified(self, peer: bytes, agent: str, multiaddrs: tuple[str, ...], *, optional: bool) -> None:
        """Hand over."""
        self.portal.emit(self._identities, (peer, agent, multiaddrs, optional))

    def reachable(self, bound: tuple[str, ...], multiaddrs: tuple[str, ...]) -> None:
        """Hand over."""
        self.portal.emit(self._addresses, (bound, multiaddrs))

    def reachability(self, found: Reachability) -> None:
        """Hand over."""
        self.portal.emit(self._reachability, found)

    def bootstrap_faults(self, faults: tuple[BootstrapFault, ...]) -> None:
        """Hand over."""
        self.portal.emit(self._faults, faults)

    # On the asyncio side.

    def peers(self) -> list[PeerInfo]:
        """The connected peers."""
        return [
            PeerInfo(
                peer,
                contact.multiaddrs,
                contact.arrival.direction,
                contact.since_ms,
                contact.agent,
                contact.arrival.host,
                contact.arrival.relay,
            )
            for peer, contact in self.contacts.items()
        ]

    def send_optional(self, peer: bytes, frames: Sequence[bytes]) -> None:
        """Send frames that not every version knows: now, once the peer has said that it takes them, or never."""
        contact = self.contacts.get(peer)
        if contact is None or contact.optional is False:
            return
        if contact.optional:
            self.send(peer, frames)
        elif len(contact.held) < HELD:
            contact.held.extend(frames)

    def forget_all(self) -> None:
        """This life of the node has ended: nobody is connected, and no question will be answered."""
        for task in self._answering:
            task.cancel()
        for peer in list(self.contacts):
            self._departures([(peer, Departure.GONE)])
        self.answer = self.refuse = _to_nobody

    async def stop(self) -> None:
        """Wait for the end of what `forget_all` cancelled."""
        await asyncio.gather(*self._answering, return_exceptions=True)

    def _offences(self, batch: list[tuple[bytes, Offence]]) -> None:
        for peer, kind in batch:
            self._sink.on_offence(peer, kind)

    def _bans(self, batch: list[tuple[bytes, str]]) -> None:
        for peer, reason in batch:
            self._sink.on_ban(peer, reason)

    def _arrivals(self, batch: list[tuple[bytes, PeerArrival, PeerOutbox]]) -> None:
        for peer, arrival, outbox in batch:
            texts = tuple(join_peer(addr, peer) for addr in arrival.addrs)
            self.contacts[peer] = ConnectedPeer(outbox, arrival, self._clock_ms(), texts)
            self._sink.on_peer(PeerChange(peer, True, arrival.direction, arrival.addrs))

    def _improvements(self, batch: list[tuple[bytes, PeerArrival]]) -> None:
        for peer, arrival in batch:
            contact = self.contacts.get(peer)
            if contact is not None:
                contact.arrival = arrival

    def _departures(self, batch: list[tuple[bytes, Departure]]) -> None:
        for peer, why in batch:
            contact = self.contacts.pop(peer, None)
            if contact is not None:
                unneeded = why is not Departure.GONE
                self._sink.on_peer(PeerChange(peer, False, contact.arrival.direction, unneeded=unneeded))

    def _identities(self, batch: list[tuple[bytes, str, tuple[str, ...], bool]]) -> None:
        for peer, agent, multiaddrs, optional in batch:
            contact = self.contacts.get(peer)
            if contact is not None:
                contact.agent = cleaned(agent) or None
                contact.multiaddrs = multiaddrs or contact.multiaddrs
                contact.optional, held, contact.held = optional, contact.held, []
                if held:
                    self.send_optional(peer, held)

    def _addresses(self, batch: list[tuple[tuple[str, ...], tuple[str, ...]]]) -> None:
        before = self.multiaddrs
        self.bound, self.multiaddrs = batch[-1]
        if before and set(before) != set(self.multiaddrs):
            self._sink.on_addresses()

    def _reachability(self, batch: list[Reachability]) -> None:
        self.found = batch[-1]

    def _faults(self, batch: list[tuple[BootstrapFault, ...]]) -> None:
        for fault in batch[-1]:
            if fault not in self.faults and fault.found is not None:
                log.warning("another peer answers at %s: %s", fault.multiaddr, peer_text(fault.found))
        self.faults = batch[-1]

    def _questions(self, batch: list[tuple[bytes, int, bytes]]) -> None:
        for peer, number, payload in batch:
            task = asyncio.create_task(self._answer(self.portal, peer, number, payload))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, portal: Portal, peer: bytes, number: int, payload: bytes) -> None:
        try:
            answer = await self._sink.on_ask(peer, payload)
        except BadAsk:
            portal.post(self.refuse, peer, number, True)
        except Exception:
            log.exception("a directory question could not be answered")
            portal.post(self.refuse, peer, number, False)
        else:
            portal.post(self.answer, peer, number, answer)


def _to_nobody(*_: object) -> None:
    """Drops an answer that comes after the end of a life."""
