"""The libp2p node as plain asyncio methods: the only thing the rest of the program sees of this package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .errors import AddressError, AskTimeout, NetworkError, P2PError, PeerUnreachable
from .ports import (
    BadAsk,
    Direction,
    GossipItem,
    NetState,
    NetStats,
    NetStatus,
    Offence,
    PeerChange,
    PeerInfo,
    Sink,
)
from .settings import NetworkConfig

if TYPE_CHECKING:
    from musig2.protocol.checks import Limits

__all__ = [
    "AddressError",
    "AskTimeout",
    "BadAsk",
    "Direction",
    "GossipItem",
    "NetState",
    "NetStats",
    "NetStatus",
    "Network",
    "NetworkConfig",
    "NetworkError",
    "Offence",
    "P2PError",
    "PeerChange",
    "PeerInfo",
    "PeerUnreachable",
    "Sink",
]


class Network:
    """One libp2p node in a thread of its own. Every method is called on the asyncio loop that called `start`.

    If the libp2p side dies it is restarted with growing pauses and `Sink.on_state` tells; until it is back, calls that
    need it raise NetworkError("p2p_down") and `send` returns False. Bans, followed topics and dial targets survive.
    """

    def __init__(
        self,
        config: NetworkConfig,
        seed: bytes | bytearray,
        sink: Sink,
        clock_ms: Callable[[], int],
        limits: Limits,
    ) -> None:
        """`seed`: 32 bytes, the ed25519 peer identity; `clock_ms`: the wall clock; `limits`: of the four checks."""

    @property
    def peer(self) -> bytes:
        """This node's peer id, binary."""
        raise NotImplementedError

    @property
    def peer_text(self) -> str:
        """This node's peer id, `12D3Koo...`."""
        raise NotImplementedError

    @property
    def alive(self) -> bool:
        """True while the libp2p side listens."""
        raise NotImplementedError

    def multiaddrs(self) -> tuple[str, ...]:
        """Dialable addresses of this node with `/p2p/...`: announced, observed, listening; never 0.0.0.0."""
        raise NotImplementedError

    async def start(self) -> None:
        """Return when listening. Raises NetworkError with a sentence when it cannot (a taken port, a bad address)."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Close everything; no thread, socket or task is left. May be called twice."""
        raise NotImplementedError

    def send(self, peer: bytes, frames: Sequence[bytes]) -> bool:
        """Queue encoded frames for a peer. False: not connected, or its outbox is full; then nothing was queued.

        All that is queued in one turn of the loop goes out in one write. Delivery is not promised.
        """
        raise NotImplementedError

    def connected(self, peer: bytes) -> bool:
        """True while there is a connection."""
        raise NotImplementedError

    def peers(self) -> list[PeerInfo]:
        """The connected peers."""
        raise NotImplementedError

    async def dial(self, peer: bytes, addrs: Sequence[bytes]) -> bool:
        """Connect at these or already known addresses; parallel dials of one peer are one. True: connected."""
        raise NotImplementedError

    async def connect(self, multiaddr: str) -> bytes:
        """Connect to `.../p2p/<peer>`, return the peer. Raises AddressError, PeerUnreachable."""
        raise NotImplementedError

    async def disconnect(self, peer: bytes) -> None:
        """Close all connections to a peer; nothing when there is none."""
        raise NotImplementedError

    async def follow(self, topics: frozenset[str]) -> None:
        """Be subscribed to exactly these topics; others are left."""
        raise NotImplementedError

    async def publish(self, topic: str, data: bytes) -> int:
        """Publish one envelope; return how many peers of the topic are known. Own messages do not come back."""
        raise NotImplementedError

    async def dht_put(self, key: bytes, value: bytes) -> bool:
        """Store an envelope under a public key; False: refused by the validator, or no peer took it."""
        raise NotImplementedError

    async def dht_get(self, key: bytes) -> bytes | None:
        """The newest valid envelope under a public key, asked from the network, not from the own copy."""
        raise NotImplementedError

    async def provide(self, key: bytes) -> None:
        """Say in the DHT that this node serves `key`."""
        raise NotImplementedError

    async def find_providers(self, key: bytes) -> list[tuple[bytes, tuple[bytes, ...]]]:
        """Peers (each once, with addresses) that say they serve `key`; a hint, not to be trusted."""
        raise NotImplementedError

    async def ask(self, peer: bytes, payload: bytes, timeout_ms: int) -> bytes:
        """One directory question and its answer. Raises AskTimeout, PeerUnreachable, NetworkError."""
        raise NotImplementedError

    def set_ban(self, peer: bytes, until_ms: int) -> None:
        """Refuse and drop this peer until then (wall clock)."""
        raise NotImplementedError

    def lift_ban(self, peer: bytes) -> None:
        """Let a peer in again and forget its offences."""
        raise NotImplementedError

    async def stats(self) -> NetStats:
        """What is open and queued right now."""
        raise NotImplementedError
