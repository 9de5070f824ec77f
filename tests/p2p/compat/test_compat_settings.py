"""Faults of py-libp2p 0.8.1 that settings avoid, bounds that it lacks, and mends that may become unnecessary."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trio
from libp2p.kad_dht.common import PROTOCOL_ID
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX

from p2p.addresses import Multiaddr, from_text, is_private
from p2p.compat.kad import MAX_VALUES, BoundedProviders
from p2p.compat.peerstore import MAX_ADDRS_PER_PEER, BoundedPeerStore
from p2p.settings import NetworkConfig
from tests.p2p.nodes import TestNode, eventually, identified, network, networks
from tests.p2p.p2p_world import Signer

network_test = pytest.mark.network


# 3: the slots of inbound connections.


class Socketless:
    """As much of a connection as the swarm's inbound path touches before the handshake."""

    def get_remote_address(self) -> tuple[str, int]:
        return "127.0.0.1", 1

    async def close(self) -> None:
        pass


@network_test
async def test_the_library_still_needs_the_mend_of_its_inbound_slots() -> None:
    """Fails when a release frees the slot of a connection that has ended: then `_handle_inbound_connection` can go."""
    async with networks(1) as (anna,):

        async def slots_of_an_ended_connection(node: Any) -> int:
            swarm = node.host.swarm

            async def ended_at_once(*_: Any) -> None:
                pass

            before = swarm._inbound_limiter.borrowed_tokens
            swarm.upgrade_inbound_raw_conn = ended_at_once
            async with trio.open_nursery() as nursery:
                nursery.start_soon(Swarm._handle_inbound_connection, swarm, Socketless(), None)
                await trio.sleep(0.05)  # the library gives nothing to wait for
                taken = swarm._inbound_limiter.borrowed_tokens - before
                nursery.cancel_scope.cancel()
            return int(taken)

        assert await anna.inside(slots_of_an_ended_connection) == 1


@network_test
async def test_no_slot_is_held_once_a_connection_has_ended() -> None:
    async with networks(2) as (anna, ben):
        for _ in range(5):
            await anna.meet(ben)
            await anna.disconnect(ben.peer)
            await ben.sink.until(lambda: not ben.connected(anna.peer))
        assert await ben.inside(lambda node: dict(node.host.swarm._inbound)) == {}
        assert await ben.inside(lambda node: dict(node.host.swarm._pending)) == {}


@network_test
async def test_nothing_is_kept_of_a_peer_that_has_left() -> None:
    async with networks(1) as (hub,):
        topic = f"musigd/{hub._config.network}/signers/spend"
        await hub.follow(frozenset({topic}))
        for _ in range(5):
            async with network(network=hub._config.network) as guest:
                await guest.follow(frozenset({topic}))
                await guest.meet(hub)
                await guest.publish(topic, Signer().advertise().envelope)
                await hub.sink.until(lambda: hub.sink.gossip)
            await hub.sink.until(lambda guest=guest: not hub.connected(guest.peer))
            hub.sink.gossip.clear()

        def kept(node: Any) -> dict[str, int]:
            router, pubsub, swarm = node.gossip.router, node.gossip.pubsub, node.host.swarm
            parts = {
                "tags": swarm.tag_store._tags,
                "disconnects": swarm.auto_connector._recent_disconnects,
                "dials": swarm._dials,
                "links": node.sessions._links,
                "directory": node.directory._links,
                "protocols": router.peer_protocol,
                "pauses": router.back_off.get(topic, {}),
                "deliveries": router.recent_message_deliveries,
                "copies": router.equivocation_detection,
                "queues": pubsub.peer_queues,
                "streams": pubsub.peers,
                "followers": pubsub.peer_topics,
                "identified": node.host._identified_peers,
                "routing": node.dht.service.routing_table.get_peer_ids(),
            }
            return {name: len(part) for name, part in parts.items() if part}

        async def nothing() -> bool:
            return await hub.inside(kept) == {}

        assert await eventually(nothing)


# 4-6, 17, 19: connections.


@network_test
async def test_nobody_is_dialled_only_because_an_address_was_heard() -> None:
    async with networks(2) as (anna, ben):

        async def heard(node: Any) -> bool:
            swarm = node.host.swarm
            swarm.peerstore.add_addrs(ID(ben.peer), [Multiaddr(from_text(ben.address))])
            await swarm.auto_connector.maybe_connect()
            return bool(swarm.live(ID(ben.peer)))

        assert not await anna.inside(heard)


@network_test
async def test_the_settings_of_connections_are_the_safe_ones() -> None:
    async with networks(1, upgrade_timeout_ms=NetworkConfig().upgrade_timeout_ms) as (anna,):
        swarm = await anna.inside(lambda node: node.host.swarm)
        assert swarm.connection_config.inbound_upgrade_timeout == 3.0
        assert swarm.connection_config.low_watermark == swarm.connection_config.min_connections == 0
        assert swarm.retry_config.max_retries == 0
        assert list(swarm.upgrader.security_multistream._selector.handlers) == [NOISE]
        assert list(swarm.upgrader.muxer_multistream._selector.handlers) == [YAMUX]
        assert swarm.metric_send_channel is None
        assert await anna.inside(lambda node: node.dht.service.value_store._persist_path) is None


@network_test
async def test_every_address_of_a_peer_is_tried_not_only_the_first() -> None:
    async with networks(2) as (anna, ben):
        dead = [from_text(f"/ip4/127.0.0.1/tcp/{port}") for port in (1, 2, 3)]
        assert await anna.dial(ben.peer, [*dead[:2], from_text(ben.address), dead[2]])


# 12-17, 20: the DHT.


@network_test
async def test_the_dht_has_a_protocol_of_its_own_and_refuses_unknown_namespaces() -> None:
    async with networks(1) as (anna,):
        protocols = await anna.inside(lambda node: node.host.get_mux().get_protocols())
        assert f"/musigd/{anna._config.network}/kad/1" in protocols
        assert PROTOCOL_ID not in protocols
        assert await anna.inside(lambda node: node.dht.service.strict_validation)
        validator = await anna.inside(lambda node: node.dht.service.validator)
        with pytest.raises(Exception, match="validator"):
            validator.validate("/pk/x", b"")


@network_test
async def test_of_identical_records_the_last_is_selected() -> None:
    async with networks(1) as (anna,):
        signed = Signer().advertise().envelope
        select = (await anna.inside(lambda node: node.dht._validator)).select
        assert select("k", [signed, signed, signed]) == 2
        assert select("k", [b"junk", signed]) == 1
        assert select("k", [signed, b"junk"]) == 0


@network_test
async def test_a_put_that_no_peer_accepts_raises() -> None:
    async with networks(1) as (anna,):
        signer = Signer()
        assert not await anna.dht_put(signer.key.pubkey, signer.advertise().envelope)


@network_test
async def test_the_stores_of_the_dht_are_bounded() -> None:
    async with networks(1) as (anna,):
        service = await anna.inside(lambda node: node.dht.service)
        from libp2p.kad_dht.pb.kademlia_pb2 import Record
        from libp2p.peer.peerinfo import PeerInfo

        for number in range(MAX_VALUES + 500):
            service.value_store.put_record(number.to_bytes(4, "big"), Record(value=b"x"))
        assert len(service.value_store.store) <= MAX_VALUES
        service.value_store.put_record(b"large", Record(value=bytes(20_000)))
        assert service.value_store.get(b"large") is None
        assert isinstance(service.provider_store, BoundedProviders)
        for number in range(5_000):
            service.provider_store.add_provider(number.to_bytes(4, "big"), PeerInfo(ID(bytes(38)), []))
        assert len(service.provider_store.providers) <= 4_096


# The address book, logging, identify.


def test_a_full_address_book_keeps_the_own_keys_and_the_connected_peers() -> None:
    own, friend = ID(b"own"), ID(b"friend")
    store = BoundedPeerStore(lambda peer: peer in (own, friend), max_peers=50)
    store.put(own, "kind", "own")
    store.add_addr(friend, Multiaddr("/ip4/1.2.3.4/tcp/1"), 60)
    for number in range(500):
        store.add_addr(ID(str(number).encode()), Multiaddr(f"/ip4/1.2.3.4/tcp/{number + 1}"), 60)
    assert len(store.peer_data_map) <= 50
    assert store.has_peer(own)
    assert store.has_peer(friend)
    assert store.has_peer(ID(b"499"))
    for number in range(100):
        store.add_addr(friend, Multiaddr(f"/ip4/1.2.3.4/tcp/{number + 1}"), 60)
    assert len(store.addrs(friend)) == MAX_ADDRS_PER_PEER


def test_importing_and_using_the_library_prints_nothing_and_leaves_the_root_logger_alone() -> None:
    program = """
import logging, p2p.network
from libp2p.network.connection import swarm_connection
swarm_connection.logging.debug("x"); swarm_connection.logging.warning("x")
logging.getLogger("libp2p.anything").error("x")
assert logging.getLogger().handlers == [], logging.getLogger().handlers
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""


@pytest.mark.parametrize("asked", ["DEBUG", "pubsub:DEBUG"])
def test_the_log_of_the_library_goes_to_our_log_without_a_thread_of_its_own(asked: str, tmp_path: Path) -> None:
    program = """
import logging, sys, threading, p2p.network
lines = []
class Ours(logging.Handler):
    def emit(self, record): lines.append(record.getMessage())
logging.getLogger().handlers[:] = [Ours()]
logging.getLogger("libp2p.pubsub").debug("asked for")
assert lines == ["asked for"], lines
assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
"""
    environment = {**os.environ, "LIBP2P_DEBUG": asked, "LIBP2P_DEBUG_FILE": str(tmp_path / "file")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_library_logs_only_what_is_critical() -> None:
    assert not logging.getLogger("libp2p.pubsub").isEnabledFor(logging.ERROR)


@network_test
async def test_agent_and_protocols_of_a_peer_are_cleaned_of_control_characters() -> None:
    async with networks(1) as (anna,), network(network=anna._config.network, agent="\x1b[2Jmusigd\u202e/9") as evil:
        await anna.meet(evil)
        await identified(anna)
        assert anna.peers()[0].host == evil.peers()[0].host == "127.0.0.1"
        assert anna.peers()[0].agent == "\ufffd[2Jmusigd\ufffd/9"
        await anna.inside(lambda node: node.host.get_peerstore().add_protocols(ID(evil.peer), ["/a/1", "/\x1b[2J/1"]))
        known = await anna.inside(lambda node: node.host.get_peerstore().get_protocols(ID(evil.peer)))
        assert "/a/1" in known
        assert not any("\x1b" in name for name in known)


@network_test
async def test_identify_tells_the_own_agent_and_only_addresses_that_may_be_announced() -> None:
    async with networks(1, listen=("/ip4/0.0.0.0/tcp/0",), agent="musigd/test") as (anna,):
        told = await anna.inside(lambda node: node.host.identity(("::ffff:10.0.0.1", 4)))
        assert told.agent_version == "musigd/test"
        assert not any(is_private(addr) for addr in told.listen_addrs)
        assert Multiaddr(told.observed_addr) == Multiaddr("/ip6/::ffff:10.0.0.1/tcp/4")
        assert f"/musigd/{anna._config.network}/session/1" in told.protocols
        record = await anna.inside(lambda node: node.host.get_peerstore().get_local_record().record())
        assert not any(is_private(addr.to_bytes()) for addr in record.addrs)


@network_test
async def test_identify_runs_again_at_the_next_connection() -> None:
    async with networks(2) as (anna, ben):
        for times in (1, 2):
            await anna.meet(ben)
            await identified(ben)
            await anna.disconnect(ben.peer)  # she comes back by herself, being alone now
            await ben.sink.until(lambda times=times: departures(ben) >= times)
            assert departures(ben) == times


def departures(node: TestNode) -> int:
    return sum(not change.connected for change in node.sink.changes)
