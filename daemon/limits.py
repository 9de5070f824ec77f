"""Translates the settings into the configuration of each part: the only place that knows the names of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from config.settings import Settings
from daemon.discovery.limits import DiscoveryLimits
from daemon.signing.limits import SigningLimits
from musig2.protocol.records.checks import RecordLimits
from p2p.settings import NetworkConfig, Proxy
from rpc.config import RpcConfig

PROXIED_MS = 30_000  # a circuit to an onion service takes seconds to be made, and each answer hundreds of milliseconds


def wire_limits(settings: Settings) -> RecordLimits:
    """The limits on records from peers."""
    limits = settings.limits
    return RecordLimits(
        advertisement_bytes=limits.advertisement_bytes,
        request_bytes=limits.request_bytes,
        items_times_signers=limits.items_times_signers,
        skew_ms=limits.skew_ms,
        max_ttl_ms=limits.max_ttl_ms,
    )


def network_config(settings: Settings, version: str) -> NetworkConfig:
    """How the libp2p node is set up."""
    p2p, limits = settings.p2p, settings.limits
    proxy = None if p2p.proxy is None else Proxy(p2p.proxy.host, p2p.proxy.port, settings.p2p.socks5_login)
    found = NetworkConfig(
        network=settings.network,
        listen=p2p.listen,
        announce=p2p.announce,
        bootstrap=p2p.bootstrap,
        mdns=p2p.use_mdns,
        dht=p2p.dht,
        private_addresses=p2p.use_private_addresses,
        agent=f"musigd/{version}",
        proxy=proxy,
        relay_service=p2p.relay_service,
        relay_client=p2p.relay_client,
        port_mapping=p2p.port_mapping,
        relay_reservations=limits.relay_reservations,
        relay_rate=limits.relay_bytes_per_second,
        relay_peer_rate=max(1, limits.relay_bytes_per_second // 16),
        max_connections=limits.connections,
        kept_connections=limits.kept_connections,
        max_gossip_bytes=max(50_000, limits.advertisement_bytes),
        ban_after=limits.invalid_signatures,
        ban_ms=limits.ban_ms,
    )
    return found if proxy is None else replace(found, dial_timeout_ms=PROXIED_MS, upgrade_timeout_ms=PROXIED_MS)


def discovery_limits(settings: Settings) -> DiscoveryLimits:
    """What the directory accepts and keeps."""
    limits = settings.limits
    return DiscoveryLimits(
        checks=wire_limits(settings),
        interval_ms=limits.interval_ms,
        ttl_ms=limits.ttl_ms,
        advertisements=limits.advertisements,
        advertisements_per_peer=limits.advertisements_per_peer,
        notices=limits.notices,
        notices_per_peer=limits.notices_per_peer,
        pinned_keys=frozenset(map(bytes.fromhex, limits.pinned_keys)),
        private_ranges=settings.p2p.use_private_addresses,
    )


def signing_limits(settings: Settings) -> SigningLimits:
    """What requests and sessions may cost, and how long they are kept."""
    limits = settings.limits
    return SigningLimits(
        wire=wire_limits(settings),
        default_ttl_ms=limits.ttl_ms,
        round_ms=limits.round_ms,
        broadcast_ms=limits.broadcast_ms,
        max_attempts=limits.max_attempts,
        unsolicited_per_peer=limits.unsolicited_per_peer,
        unsolicited_total=limits.unsolicited_total,
        keep_finished_ms=settings.store.keep_finished,
    )


def rpc_config(settings: Settings, version: str, socket: Path) -> RpcConfig:
    """Where wallets connect, and what each may cost."""
    rpc, limits = settings.rpc, settings.limits
    return RpcConfig(
        network=settings.network,
        version=version,
        host=rpc.endpoint.host,
        port=rpc.endpoint.port,
        socket_path=socket,
        tls_cert=rpc.tls_cert,
        tls_key=rpc.tls_key,
        allowed_hosts=rpc.allowed_hosts,
        allowed_origins=rpc.allowed_origins,
        max_body_bytes=limits.rpc_body_bytes,
        max_connections=limits.rpc_connections,
        max_calls_at_once=limits.rpc_calls_at_once,
        calls_per_second=limits.rpc_calls_per_second,
    )
