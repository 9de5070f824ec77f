"""Floods of provider records and of notices, and strangers that fill a provider key, over real libp2p nodes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from libp2p.peer.id import ID

from daemon.clock import SystemClock
from daemon.discovery.limits import MINUTE_MS, DiscoveryLimits
from daemon.discovery.peers.connector import SHARDS, provider_key
from musig2.protocol.records.checks import RecordLimits
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Notice
from musig2.protocol.wire.frames import Signed
from p2p.compat import kad
from p2p.network import Network, NetworkConfig
from tests.discovery.discovery_world import push_of, until
from tests.discovery.real_world import Ears, RealDaemon, real_daemons

pytestmark = pytest.mark.network
STRANGERS = 20  # as many as a node keeps for one key


class Rubbish(Ears):
    """Answers every question with rubbish."""

    async def on_ask(self, peer: bytes, payload: bytes) -> bytes:
        return b"\xff"


@asynccontextmanager
async def stranger(name: str, hub: str) -> AsyncIterator[Network]:
    """A libp2p node that serves no directory, connected to `hub`."""
    config = NetworkConfig(
        network=name, listen=("/ip4/127.0.0.1/tcp/0",), mdns=False, private_addresses=True, max_connections_per_ip=1_000
    )
    node = Network(config, secrets.token_bytes(32), Rubbish(), SystemClock().wall_ms, RecordLimits())
    await node.start()
    try:
        await node.connect(hub)
        yield node
    finally:
        await node.stop()


def keys_of(name: str) -> list[bytes]:
    """The provider keys of a type for now and for the next minutes."""
    now_ms = SystemClock().wall_ms()
    times = (now_ms, now_ms + 5 * MINUTE_MS)
    return list(dict.fromkeys(provider_key(name, "swap", ms, shard) for ms in times for shard in range(SHARDS)))


def providing(target: bytes, keys: Sequence[bytes]) -> Any:
    """On the trio side: send the provider record to one peer directly, which is cheapest for the sender."""

    def bind(node: Any) -> Any:
        async def provide() -> None:
            for key in keys:
                hashed = b"\x12\x20" + sha256(key).digest()
                await node.dht.service.provider_store._send_add_provider(ID(target), hashed)

        return provide

    return bind


async def eventually_known(node: Network, key: bytes, peers: set[bytes]) -> None:
    """Until that node finds all these providers of a key."""
    async with asyncio.timeout(180):
        while not peers <= {peer for peer, _ in await node.find_providers(key)}:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)


async def test_strangers_that_fill_a_provider_key_keep_no_newcomer_from_the_directory(tmp_path: Path) -> None:
    async with real_daemons(tmp_path, 2) as (hub, carol), AsyncExitStack() as stack:
        name, address = hub._network_name, hub.network.multiaddrs()[0]
        strangers = [await stack.enter_async_context(stranger(name, address)) for _ in range(STRANGERS)]
        await asyncio.gather(*(node._call(providing(hub.network.peer, keys_of(name))) for node in strangers))
        await eventually_known(carol.network, keys_of(name)[0], {node.peer for node in strangers})
        advertised = carol.keys.create()
        await carol.advertise(advertised)
        newcomer = RealDaemon(tmp_path / "newcomer.sqlite", name, hub._limits, bootstrap=[address])
        await newcomer.start()
        try:
            await newcomer.follow("swap")
            await until(lambda: newcomer.lines() == 1)
            assert await newcomer.found() == {advertised.hex()}
            await until(lambda: newcomer.network.connected(carol.network.peer))
        finally:
            await newcomer.stop()


async def test_a_flood_of_provider_records_is_bounded_and_disturbs_no_discovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kad, "MAX_PROVIDER_KEYS", 8)
    async with real_daemons(tmp_path, 2) as (hub, carol), AsyncExitStack() as stack:
        await hub.follow("swap")
        many_keys = [secrets.token_bytes(32) for _ in range(100)]
        address = hub.network.multiaddrs()[0]
        strangers = [await stack.enter_async_context(stranger(hub._network_name, address)) for _ in range(3)]
        await asyncio.gather(*(node._call(providing(hub.network.peer, many_keys)) for node in strangers))
        advertised = carol.keys.create()
        await carol.advertise(advertised)
        await until(lambda: hub.named("signer:discovered"))
        assert await hub.service.signers.resolve(advertised)
        assert hub.network._node is not None
        assert 0 < len(hub.network._node.dht.service.provider_store.providers) <= 8


def notice(identity: PeerIdentity, now_ms: int) -> Signed[Notice]:
    tags = (secrets.token_bytes(8),)
    record = Notice(identity.peer, secrets.token_bytes(16), tags, now_ms, now_ms + MINUTE_MS)
    return seal(record, identity.sign)


async def test_a_flood_of_notices_over_every_channel_takes_only_the_share_of_its_peer(tmp_path: Path) -> None:
    limits = DiscoveryLimits(notices_per_peer=10)
    async with real_daemons(tmp_path, 3, limits) as (mallory, bob, carol):
        now_ms = mallory.clock.wall_ms()
        flood = [notice(mallory.identity, now_ms) for _ in range(400)]
        for start in range(0, 200, 50):
            push = push_of(*((signed, None) for signed in flood[start : start + 50]))
            await mallory.network.ask(bob.network.peer, push, 5_000)
        for signed in flood[200:]:
            await mallory.network.publish(f"musigd/{bob._network_name}/requests", signed.envelope)
        honest = notice(carol.identity, now_ms)
        await carol.service.signers.publish_notice(honest)
        await until(lambda: honest.id in {signed.id for signed in bob.notices})
        for daemon in (bob, carol):
            assert sum(signed.record.peer == mallory.identity.peer for signed in daemon.notices) <= 10
        assert bob.ears.bans == []
