"""Builds the libp2p host: one ed25519 identity, TCP, noise, yamux, and this network's rules of admission."""

from __future__ import annotations

from collections.abc import Callable

from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.peer.id import ID

from musig2.protocol.records.peers import PEER_BYTES, PREFIX
from p2p.addresses import Multiaddr, dialable
from p2p.announce import AnnouncedAddresses, listens_on_loopback_only
from p2p.bans import BanTimes
from p2p.compat.guard import OnFault
from p2p.compat.host import GuardedHost, OnStreamFault
from p2p.compat.peerstore import BoundedPeerStore
from p2p.compat.swarm import GuardedSwarm
from p2p.compat.upgrade import Upgrader
from p2p.door import DoorRules
from p2p.errors import NetworkError
from p2p.ports import Standing
from p2p.relay.circuit import CircuitTransport
from p2p.settings import NetworkConfig
from p2p.streams.accounts import Accounts
from p2p.streams.prices import Work
from p2p.ways.dialler import Dialler, ProxiedDialler
from p2p.ways.socks import Socks

UNLIMITED = 1_000_000
CROWD = 8  # on a private network many nodes may share one address


def key_pair_of(seed: bytes | bytearray) -> KeyPair:
    """The identity of this node. Raises NetworkError `bad_seed`."""
    if len(seed) != 32 or not any(seed):
        raise NetworkError("bad_seed", "the peer identity needs a seed of 32 bytes: restore the identity file")
    return create_new_key_pair(bytes(seed))


def is_supported(peer: ID) -> bool:
    """Only ed25519 identities take part."""
    raw = peer.to_bytes()
    return len(raw) == PEER_BYTES and raw.startswith(PREFIX)


def build_host(
    config: NetworkConfig,
    key_pair: KeyPair,
    bans: BanTimes,
    accounts: Accounts,
    announced: AnnouncedAddresses,
    *,
    on_fault: OnFault,
    on_stream_fault: OnStreamFault,
    on_proxy: Callable[[str | None], None],
) -> GuardedHost:
    """The host, not yet listening. `on_proxy`: as `p2p.ways.dialler.ProxiedDialler` calls it."""
    own = ID.from_pubkey(key_pair.public_key)

    def keeps(peer: ID) -> bool:
        return peer == own or bool(swarm.get_connections(peer))

    async def toll(peer: ID, messages: int, frames: int, size: int) -> None:
        name = peer.to_bytes()
        accounts.charge(name, Work.READ)
        accounts.charge(name, Work.SEALED, messages)
        accounts.charge(name, Work.YAMUX_FRAME, frames)
        accounts.charge(name, Work.KIB, size / 1024)
        await accounts.settled(name)

    async def settle_stream(peer: ID) -> None:
        accounts.charge(peer.to_bytes(), Work.STREAM)
        await accounts.settled(peer.to_bytes())

    def may_dial(addr: Multiaddr) -> bool:
        return dialable(addr, private_addresses=announced.private_addresses, onions=config.proxy is not None)

    crowded = announced.private_addresses or listens_on_loopback_only(config)  # behind Tor, or a proxy of this host
    rules = DoorRules(
        admits=lambda peer: is_supported(peer) and not bans.refuses(peer.to_bytes()),
        is_stranger=lambda peer: accounts.standing(peer.to_bytes()) is Standing.STRANGER,
        may_dial=may_dial,
        max_connections=config.max_connections,
        max_pending_per_ip=config.max_pending_per_ip * (CROWD if crowded else 1),
        max_per_ip=UNLIMITED if crowded else config.max_connections_per_ip,
        upgrade_s=config.upgrade_timeout_ms / 1000,
        dial_s=config.dial_timeout_ms / 1000,
        door_s=accounts.door_s,
        is_home=accounts.is_home,
        toll=toll,
    )
    peerstore = BoundedPeerStore(keeps)
    peerstore.add_key_pair(own, key_pair)
    circuits = CircuitTransport()
    tcp = ProxiedDialler(may_dial, Socks(config.proxy), on_proxy) if config.proxy else Dialler(may_dial)
    swarm = GuardedSwarm(own, peerstore, Upgrader(key_pair), rules, on_fault=on_fault, tcp=tcp, circuits=circuits)
    circuits.host = GuardedHost(swarm, announced, on_stream_fault, settle_stream, config.agent)
    circuits.host.hidden = config.proxy is not None
    return circuits.host
