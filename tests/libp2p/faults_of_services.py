"""Faults of py-libp2p's GossipSub and Kademlia, shown as those in `faults.py`."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
import trio.testing
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.kad_dht.kad_dht import DHTMode, KadDHT
from libp2p.kad_dht.pb.kademlia_pb2 import Message as DhtMessage
from libp2p.kad_dht.pb.kademlia_pb2 import Record
from libp2p.kad_dht.routing_table import RoutingTable
from libp2p.peer.peerinfo import PeerInfo
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb.rpc_pb2 import RPC, ControlPrune
from libp2p.pubsub.pubsub import Pubsub
from libp2p.records.validator import Validator
from libp2p.tools.anyio_service import background_trio_service
from libp2p.utils import encode_varint_prefixed

from p2p.addresses import Multiaddr
from tests.libp2p.faults import a_peer, fault, hosts, info

KAD = TProtocol("/ipfs/kad/1.0.0")


class Anything(Validator):
    def validate(self, key: str, value: bytes) -> None:
        pass

    def select(self, key: str, values: list[bytes]) -> int:
        return 0


def gossip(host: Any | None = None) -> Pubsub:
    router = GossipSub(protocols=[TProtocol("/meshsub/1.1.0")], degree=6, degree_low=4, degree_high=12)
    return Pubsub(host or new_host(key_pair=create_new_key_pair()), router)


def dht(host: Any, **more: Any) -> KadDHT:
    made = KadDHT(host, DHTMode.SERVER, **more)
    made.register_validator("ns", Anything())
    return made


@fault
async def the_queue_to_a_peer_loses_a_burst() -> bool:
    from libp2p.pubsub.rpc_queue import RpcQueue

    queue = RpcQueue()
    return not all(queue.push(RPC()) for _ in range(100))


@fault
async def sequence_numbers_begin_with_the_seconds() -> bool:
    return gossip().counter < 10**12


@fault
async def a_node_has_a_thread_for_seen_ids() -> bool:
    before = threading.active_count()
    kept = gossip()
    return threading.active_count() > before and kept is not None


@asynccontextmanager
async def running() -> AsyncIterator[Pubsub]:
    """GossipSub as a service of a host."""
    async with hosts(1) as (host,):
        pubsub = gossip(host)
        async with background_trio_service(pubsub):
            await pubsub.wait_until_ready()
            yield pubsub


@fault
async def a_lost_stream_makes_it_forget_what_a_connected_peer_follows() -> bool:
    async with running() as pubsub:
        peer = a_peer()
        pubsub._peer_is_connected = lambda _: True  # type: ignore[method-assign,assignment]  # the connection is still there
        pubsub.handle_subscription(peer, RPC.SubOpts(subscribe=True, topicid="t"))
        pubsub._handle_dead_peer(peer)
        return peer not in pubsub.peer_topics.get("t", set())


@fault
async def a_topic_followed_during_a_greeting_is_not_told() -> bool:
    class Written:
        """A stream to a new peer. A topic is followed while the greeting is written."""

        def __init__(self) -> None:
            self.said: list[bytes] = []

        def get_protocol(self) -> str:
            return "/meshsub/1.1.0"

        async def write(self, data: bytes) -> None:
            if not self.said:
                self.said.append(data)
                await pubsub.subscribe("t")
                return
            self.said.append(data)

    stream = Written()
    async with running() as pubsub:

        async def opened(*_: Any) -> Any:
            return stream

        pubsub.host.new_stream = opened  # type: ignore[method-assign,assignment]  # to a peer that is not there
        await pubsub._handle_new_peer(a_peer())
        with trio.move_on_after(1):
            while len(stream.said) < 2:  # noqa: ASYNC110 - what is looked for never comes
                await trio.sleep(0.01)
        return len(stream.said) == 1


@fault
async def a_stream_that_ended_with_one_of_two_connections_is_kept() -> bool:
    class Ended:
        """A stream whose connection has ended."""

        is_closed = True

        @property
        def muxed_conn(self) -> Ended:
            return self

    class Open:
        """The other connection to that peer."""

        muxed_conn = None

    async with hosts(1) as (host,):
        pubsub, peer = gossip(host), a_peer()
        network: Any = host.get_network()
        network.get_connections = lambda *_: [Open()]
        pubsub.peers[peer] = Ended()  # type: ignore[assignment]  # as far as it is asked
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pubsub.handle_dead_peer_queue)
            await pubsub.event_handle_dead_peer_queue_started.wait()
            (notifee,) = (each for each in network.notifees if hasattr(each, "dead_peers_queue"))
            await notifee.dead_peers_queue.send(peer)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        return peer in pubsub.peers


@fault
async def topics_that_a_peer_invents_are_remembered() -> bool:
    async with running() as pubsub:
        peer = a_peer()
        for number in range(50):
            pubsub.handle_subscription(peer, RPC.SubOpts(subscribe=True, topicid=f"invented {number}"))
        return len(pubsub.peer_topics) == 50


@fault
async def a_peer_makes_it_dial_others_though_that_is_off() -> bool:
    pubsub = gossip()
    router: Any = pubsub.router
    router.attach(pubsub)
    dialled: list[Any] = []

    async def note(peers: list[Any]) -> None:
        dialled.extend(peers)

    router._do_px = note
    router.mesh = {"t": set()}
    prune = ControlPrune(topicID="t")
    prune.peers.add(peerID=a_peer().to_bytes())
    assert router.do_px is False
    await router.handle_prune(prune, a_peer())
    return bool(dialled)


@fault
async def the_dht_ignores_the_protocol_that_is_asked_for() -> bool:
    async with hosts(1) as (host,):
        dht(host, protocol_prefix=TProtocol("/own"))
        return KAD in host.get_mux().get_protocols()


@fault
async def a_peer_of_the_dht_says_itself_of_which_subnet_it_is() -> bool:
    one, other = a_peer(), a_peer()
    table = RoutingTable(a_peer(), new_host(key_pair=create_new_key_pair()), 1, 1)
    claimed = [Multiaddr("/ip4/11.22.33.44/tcp/1")]
    return await table.add_peer(PeerInfo(one, claimed)) and not await table.add_peer(PeerInfo(other, claimed))


@fault
async def a_put_that_nobody_took_is_not_told() -> bool:
    async with hosts(1) as (host,):
        made = dht(host)
        async with background_trio_service(made):
            return await made.put_value("/ns/key", b"value") is None


@fault
async def the_dht_stores_values_of_any_size() -> bool:
    async with hosts(1) as (host,):
        made, key = dht(host), b"/ns/" + bytes(5_000)
        made.value_store.put_record(key, Record(key=key, value=bytes(1 << 20)))
        return made.value_store.get(key) is not None


@fault
async def who_is_closest_to_the_key_of_a_record_is_not_said() -> bool:
    async with hosts(2) as (anna, ben):
        made = dht(ben)
        async with background_trio_service(made):
            await anna.connect(info(ben))
            stream = await anna.new_stream(ben.get_id(), [KAD])
            asked = DhtMessage(type=DhtMessage.MessageType.FIND_NODE, key=b"/musigd-test/" + b"02" * 33)
            await stream.write(encode_varint_prefixed(asked.SerializeToString()))
            try:
                with trio.fail_after(10):
                    return not await stream.read(1)
            except Exception:
                return True
