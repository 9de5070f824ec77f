"""The plain values that this package exchanges with its user, and the interface that it calls back.

Peers are binary peer ids (38 bytes for ed25519), addresses binary multiaddrs without `/p2p`, unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Literal, NamedTuple, Protocol

from musig2.protocol.records.records import Record
from musig2.protocol.wire.frames import Frame, Signed


class Direction(StrEnum):
    """Who opened the connection."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Offence(StrEnum):
    """What a peer did wrong. All but `RATE` count towards a ban: no honest peer does them."""

    BAD_ENCODING = "bad_encoding"
    BAD_SIGNATURE = "bad_signature"
    BAD_REQUEST = "bad_request"  # aggregate keys that do not follow from the keys
    RATE = "rate"


class Standing(Enum):
    """How well a peer is known here, which decides what it may ask for and whose turn comes first."""

    KNOWN = "known"  # configured, signed with before, or in a session under way
    ESTABLISHED = "established"  # named by an advertisement that this daemon has held for a while
    STRANGER = "stranger"


class Departure(Enum):
    """Why a peer is not connected any more."""

    GONE = "gone"
    UNNEEDED_HERE = "unneeded here"  # this node closed the connection; the peer is still there
    UNNEEDED_THERE = "unneeded there"


class Reach(StrEnum):
    """Whether others can dial this node."""

    UNKNOWN = "unknown"
    PUBLIC = "public"
    PRIVATE = "private"


class MappingState(StrEnum):
    """Whether the router forwards the ports of this node."""

    SEARCHING = "searching"
    MAPPED = "mapped"
    FAILED = "failed"


class MappingFault(StrEnum):
    """What keeps a mapping from being made, or from being of use."""

    NO_GATEWAY = "no_gateway"
    REFUSED = "gateway_refused"
    DOUBLE_NAT = "double_nat"


class MappedPort(NamedTuple):
    """A TCP port on which this node listens, and that of the router which leads to it."""

    port: int
    external: int


@dataclass(frozen=True, slots=True)
class PortMapping:
    """What the router was asked for, and says. `sentence`: what is wrong. Without `expires_ms` it has no end."""

    state: MappingState = MappingState.SEARCHING
    gateway: str | None = None
    external_host: str | None = None
    ports: tuple[MappedPort, ...] = ()
    expires_ms: int | None = None
    fault: MappingFault | None = None
    sentence: str = ""
    protocol: Literal["nat-pmp", "pcp", "upnp"] | None = None

    @property
    def way(self) -> tuple[str | None, str | None, tuple[MappedPort, ...]]:
        """What a renewal leaves as it is."""
        return self.gateway, self.external_host, self.ports


@dataclass(frozen=True, slots=True)
class Reachability:
    """The verdict of the newest answers, how many peers gave them, and how many of these reached this node.

    `relays`: the peers through which it is reached; `lacking`: it wants more. `serving`: others can be reached through
    it. `tested`: False where nobody is asked, because it listens on loopback only. `proxied`: nobody is asked because
    it dials through a proxy; `proxy_fault`: why that does not work. `mapping`: None where the router is not asked.
    """

    verdict: Reach = Reach.UNKNOWN
    asked: int = 0
    reached: int = 0
    relays: tuple[bytes, ...] = ()
    tested: bool = True
    lacking: bool = False
    serving: bool = False
    proxied: bool = False
    proxy_fault: str | None = None
    mapping: PortMapping | None = None


class NetStatus(StrEnum):
    """The state of the libp2p side."""

    UP = "up"
    DOWN = "down"
    RESTARTING = "restarting"


@dataclass(frozen=True, slots=True)
class NetState:
    """Told at each change: `multiaddrs` when up, a `sentence` for a person when not."""

    status: NetStatus
    multiaddrs: tuple[str, ...] = ()
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class GossipItem:
    """A verified record that came over a topic; `peer` forwarded it (it need not be its author)."""

    topic: str
    peer: bytes
    signed: Signed[Record]


@dataclass(frozen=True, slots=True)
class PeerArrival:
    """How a peer is connected. `addrs`: where it was dialled. `host`: the IP address at the other end.

    `relay`: the peer through which it is connected, whose `host` that is then; None if it is connected directly.
    """

    direction: Direction
    addrs: tuple[bytes, ...] = ()
    host: str | None = None
    relay: bytes | None = None


@dataclass(frozen=True, slots=True)
class PeerChange:
    """A peer got its first connection or lost its last one. `addrs` may be empty for an inbound peer.

    `unneeded`: one of the two had no use for the connection, and the peer is still there.
    """

    peer: bytes
    connected: bool
    direction: Direction
    addrs: tuple[bytes, ...] = ()
    unneeded: bool = False


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """A connected peer as an operator sees it. `multiaddrs` are dialable texts with `/p2p/...`.

    `host`: the IP address at the other end of the connection; unlike `multiaddrs` it is no claim of the peer.
    `relay`: the peer through which it is connected, and whose `host` that is.
    """

    peer: bytes
    multiaddrs: tuple[str, ...]
    direction: Direction
    since_ms: int
    agent: str | None = None
    host: str | None = None
    relay: bytes | None = None


class Connected(NamedTuple):
    """The outcome of `connect`. `already`: there is a connection, but not by this address, which is not kept."""

    peer: bytes
    already: bool


@dataclass(frozen=True, slots=True)
class BootstrapFault:
    """An unusable bootstrap address. `found`: the peer that answers instead of `expected`.

    `unknown_name`: why a /dnsaddr could not be looked up; then it expects no peer. `said`: what is wrong with the name,
    the certificate or the WebSocket of an address. Without any of these: it is private.
    """

    multiaddr: str
    expected: bytes
    found: bytes | None
    unknown_name: str | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class NetStats:
    """Counts of what is open and queued: the same before and after a burst of work."""

    connections: int = 0
    session_streams: int = 0
    directory_streams: int = 0
    tasks: int = 0
    outbox_frames: int = 0
    outbox_bytes: int = 0
    pending_asks: int = 0
    restarts: int = 0
    bans: int = 0
    offences: dict[str, int] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)  # peers known per followed topic
    dht_peers: int = 0


class Sink(Protocol):
    """Implemented by the user of this package. Everything is called on the asyncio loop, in bursts, in order per peer.

    The plain methods must return quickly and must not raise; exceptions are only logged.
    """

    def on_frames(self, batch: list[tuple[bytes, Frame]]) -> None:
        """Frames from peers, decoded, every signature inside checked."""

    def on_gossip(self, batch: list[GossipItem]) -> None:
        """Records from topics; the four checks already passed."""

    def on_peer(self, change: PeerChange) -> None:
        """A peer connected or left."""

    async def on_ask(self, peer: bytes, payload: bytes) -> bytes:
        """Answer a directory question. If the question is malformed, raise `BadAsk`."""

    def in_session(self, peer: bytes) -> bool:
        """Whether a signer at that peer takes part in a session under way. Called on the trio side, seldom."""

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        """A peer did something wrong; it is already counted."""

    def on_ban(self, peer: bytes, reason: str) -> None:
        """A peer reached the limit of offences and is refused from now on: store that, call `set_ban` with its end."""

    def on_addresses(self) -> None:
        """The addresses of this node are others than before, while libp2p is up."""

    def on_state(self, state: NetState) -> None:
        """The libp2p side came up, went down, or is being restarted."""


class BadAsk(Exception):
    """Raised by `Sink.on_ask`: the question cannot be decoded. It counts as an offence of the asking peer."""
