"""What the trio side reports, as its own interface; the facade's mirror implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from musig2.protocol.wire.frames import Frame
from p2p.ports import BootstrapFault, Departure, GossipItem, Offence, PeerArrival, Reachability
from p2p.streams.outbox import PeerOutbox


class NodeOutlet(Protocol):
    """Every plain method hands over to asyncio and returns at once; what was handed over first arrives first."""

    def frames(self, peer: bytes, frames: Sequence[Frame]) -> None:
        """Checked frames of a peer, in order."""

    def gossip(self, item: GossipItem) -> None:
        """A checked record from a topic."""

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        """A fault of a peer was counted."""

    def on_ban(self, peer: bytes, reason: str) -> None:
        """A peer reached the limit of faults; it is already refused."""

    def question(self, peer: bytes, number: int, payload: bytes) -> None:
        """A directory question to answer."""

    def arrived(self, peer: bytes, arrival: PeerArrival, outbox: PeerOutbox) -> None:
        """A peer is connected; its outbox takes frames from now on."""

    def improved(self, peer: bytes, arrival: PeerArrival) -> None:
        """A connected peer is connected in a better way now."""

    def left(self, peer: bytes, why: Departure) -> None:
        """A peer is not connected any more."""

    def in_session(self, peer: bytes) -> bool:
        """Whether a signer at that peer takes part in a session under way; it is asked at once, not handed over."""

    def identified(self, peer: bytes, agent: str, multiaddrs: tuple[str, ...], *, optional: bool) -> None:
        """What a peer says about itself; `optional`: it takes the frames that not every version knows."""

    def reachable(self, bound: tuple[str, ...], multiaddrs: tuple[str, ...]) -> None:
        """Where this node listens, and what it announces."""

    def reachability(self, found: Reachability) -> None:
        """Whether others can dial this node, as far as is known."""

    def bootstrap_faults(self, faults: tuple[BootstrapFault, ...]) -> None:
        """The bootstrap addresses that are known to be unusable."""

    async def room(self) -> None:
        """Wait while too much that was handed over is not taken yet."""
