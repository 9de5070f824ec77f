"""How the libp2p side is set up: plain values with defaults that suit a public node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Proxy:
    """A SOCKS5 proxy, at an IP address. `login_file` holds USER:PASSWORD; where it is None, no login is sent."""

    host: str
    port: int
    login_file: Path | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"the proxy {host}:{self.port}"


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Settings of one libp2p node. Sizes in bytes, times in milliseconds, rates per peer and second."""

    network: str = "main"
    listen: tuple[str, ...] = ("/ip4/0.0.0.0/tcp/4327",)
    announce: tuple[str, ...] = ()
    bootstrap: tuple[str, ...] = ()
    mdns: bool = True  # runs only while `bootstrap` is empty
    dht: bool = True  # serve the DHT; False: use it as a client only
    private_addresses: bool = False  # set automatically when listening on loopback only
    agent: str = "musigd"
    dial_back: bool | None = None  # ask peers whether they can dial this node; None: unless it listens on loopback only
    relay_service: bool = False  # carry the connections of peers that cannot be dialled
    proxy: Proxy | None = None  # dials everything; then no address of this host is told to anybody
    port_mapping: str = "off"  # ask the router to forward the ports of `listen`: by "upnp", by "natpmp", or "auto"
    gateways: tuple[
        tuple[str, int], ...
    ] = ()  # where routers are asked; empty: it is searched for in the local network
    relay_client: str = "auto"  # be reached through relays: "auto" when nobody can dial this node, "always", "never"

    max_connections: int = 300
    kept_connections: int = 32  # above that, unused ones that were opened here are closed, down to three quarters
    idle_ms: int = 60_000  # after which a connection is unused
    partner_ms: int = 600_000  # the same after frames of a session
    max_pending_per_ip: int = 16  # connections that have not finished their handshake
    max_connections_per_ip: int = 64
    upgrade_timeout_ms: int = 3_000
    dial_timeout_ms: int = 5_000

    max_frame_bytes: int = 1 * MIB
    max_gossip_bytes: int = 50_000
    max_ask_bytes: int = 1 * MIB
    outbox_frames: int = 4_096  # per peer
    outbox_bytes: int = 4 * MIB  # per peer that is no stranger
    silent_outbox_bytes: int = 1 * MIB  # per stranger, and per peer that has not said anything yet
    ask_outbox_bytes: int = 2 * MIB  # per peer; holds one answer of the largest size and some others
    asks_in_flight: int = 32  # per peer and direction

    frame_rate: int = 4_000  # frames per second and peer, sustained; twice that in a burst
    frame_bytes_rate: int = 2 * MIB
    ask_bytes_rate: int = 16 * MIB
    gossip_rate: int = 200  # messages per second and forwarding peer
    gossip_bytes_rate: int = 4 * MIB
    ask_rate: int = 200

    ban_after: int = 10  # bad signatures and bad encodings
    ban_ms: int = 24 * 3_600_000
    offence_half_life_ms: int = 3_600_000

    relay_upgrade: bool = True  # look for a direct way to those who came through a relay
    relay_reservations: int = 128
    relay_circuits: int = 256
    relay_circuit_ms: int = 3_600_000
    relay_circuit_bytes: int = 64 * MIB  # in each direction
    relay_peer_rate: int = 256 * KIB  # bytes per second that one peer sends through this relay
    relay_rate: int = 4 * MIB  # all of them

    heartbeat_ms: int = 1_000
    restart_pause_ms: int = 500  # doubling to 30 s
    bootstrap_pause_ms: int = 2_000  # doubling to 5 min
