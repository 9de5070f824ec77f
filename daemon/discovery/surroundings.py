"""What discovery needs from the daemon; the composition root fills it in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from daemon.clock import Clock
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.ports import AdvertisedKeys, DirectoryEvents, DirectoryNetwork, Identity, Partners
from daemon.peers.known_peers import KnownPeers
from daemon.store import Store
from musig2.protocol.records.records import Notice
from musig2.protocol.wire.frames import Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverySurroundings:
    """What discovery needs. `partners`: keys with which this daemon is about to sign.

    `on_notice` is called with each verified notice, new or, at the start, from the store.

    `in_force`: whether a token is still valid; `bound`: whether it is bound to keys.
    """

    store: Store
    events: DirectoryEvents
    clock: Clock
    keystore: AdvertisedKeys
    identity: Identity
    network: DirectoryNetwork
    network_name: str
    known_peers: KnownPeers
    limits: DiscoveryLimits
    partners: Partners = lambda conn: ()
    in_force: Callable[[str], bool] = lambda token: True
    bound: Callable[[str], bool] = lambda token: False
    on_notice: Callable[[Signed[Notice]], None] = lambda notice: None
