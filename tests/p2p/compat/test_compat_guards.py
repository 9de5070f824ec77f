"""Faults of py-libp2p 0.8.1 that stop the host: the guard holds when something is raised behind it."""

from __future__ import annotations

import time
from typing import Any

import libp2p.pubsub.pubsub as library_pubsub
import pytest
import trio
import trio.testing
from libp2p.network.stream.exceptions import StreamEOF, StreamError
from libp2p.peer.id import ID
from libp2p.pubsub.pb.rpc_pb2 import RPC, ControlMessage, Message

from p2p.compat.guard import GuardedTasks
from p2p.compat.pubsub import QUEUE, SeenIds, WideQueue
from p2p.network import Offence
from tests.p2p.nodes import identified, networks
from tests.p2p.p2p_world import Signer

network_test = pytest.mark.network


async def boom(*_: Any) -> None:
    raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "raised by the test")


# 1: whatever a stream handler or a negotiation raises stays in its stream.


@network_test
async def test_an_exception_in_a_stream_handler_costs_the_stream_and_counts_against_the_peer() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        await ben.inside(lambda node: node.host.set_stream_handler("/test/1", boom))

        async def open_and_read(node: Any) -> None:
            stream = await node.host.new_stream(ID(ben.peer), ["/test/1"])
            with pytest.raises(StreamError):
                await stream.read(1)

        await anna.inside(open_and_read)
        await ben.sink.until(lambda: ben.sink.offences == [(anna.peer, Offence.BAD_ENCODING)])
        assert ben.alive
        assert await anna.ask(ben.peer, b"?", 60_000) == b"?"


@network_test
async def test_a_peer_is_not_asked_who_it_is_over_a_connection_that_has_ended_and_is_still_listed() -> None:
    """The library asks, which dials the peer anew; while a node stops this went on for ever."""
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        await identified(anna, ben)

        async def asked(node: Any) -> list[ID]:
            peers: list[ID] = []

            async def new_stream(peer: ID, protocols: list[str]) -> None:
                peers.append(peer)
                raise StreamError("none is opened")

            (listed,) = node.host.get_network().get_connections(ID(ben.peer))
            new_stream_before, ended = node.host.new_stream, trio.Event()
            still_open, listed.event_closed, node.host.new_stream = listed.event_closed, ended, new_stream
            ended.set()
            await node.host._identify_peer(ID(ben.peer), reason="test")
            listed.event_closed, node.host.new_stream = still_open, new_stream_before
            return peers

        assert await anna.inside(asked) == []


@network_test
async def test_an_exception_in_a_negotiation_costs_the_stream() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        await identified(anna, ben)  # whoever cannot be identified is left
        negotiate = await ben.inside(lambda node: node.host.multiselect.negotiate)
        await ben.inside(lambda node: setattr(node.host.multiselect, "negotiate", boom))
        with pytest.raises(Exception, match="stream"):
            await anna.inside(lambda node: node.host.new_stream(ID(ben.peer), ["/test/1"]))
        await ben.sink.until(lambda: ben.sink.offences)
        await ben.inside(lambda node: setattr(node.host.multiselect, "negotiate", negotiate))
        assert await anna.ask(ben.peer, b"?", 60_000) == b"?"


@network_test
async def test_a_lost_stream_is_nobodys_offence() -> None:
    async def lose(*_: Any) -> None:
        raise StreamEOF

    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        await ben.inside(lambda node: node.host.set_stream_handler("/test/1", lose))
        await anna.inside(lambda node: node.host.new_stream(ID(ben.peer), ["/test/1"]))
        assert await anna.ask(ben.peer, b"?", 60_000) == b"?"
        assert ben.sink.offences == []


@network_test
@pytest.mark.parametrize("service", ["swarm", "pubsub", "router", "dht"])
async def test_an_exception_in_a_background_task_does_not_end_its_service(service: str) -> None:
    async with networks(2) as (anna, ben):
        services = {
            "swarm": lambda node: node.host.swarm,
            "pubsub": lambda node: node.gossip.pubsub,
            "router": lambda node: node.gossip.router,
            "dht": lambda node: node.dht.service,
        }
        await ben.inside(lambda node: services[service](node).manager.run_task(boom))
        await anna.meet(ben)
        assert await anna.ask(ben.peer, b"?", 60_000) == b"?"
        assert await ben.inside(lambda node: services[service](node).manager.is_running)
        assert (await ben.stats()).offences["fault"] == 1


def test_a_task_that_is_meant_to_run_for_ever_is_started_again() -> None:
    runs = []

    class Manager:
        is_running = True

        def __init__(self, nursery: trio.Nursery) -> None:
            self._task_nursery = nursery

    async def fails_twice() -> None:
        runs.append(trio.current_time())
        if len(runs) < 3:
            raise ValueError
        await trio.sleep_forever()

    async def ignore(*_: Any) -> None:
        pass

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            GuardedTasks(Manager(nursery), ignore).run_daemon_task(fails_twice)
            await trio.sleep(10)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert len(runs) == 3


# 2, 7-10, 18: gossip.


@network_test
async def test_the_node_survives_any_exception_in_the_reader_or_validator_of_gossip() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        topic = f"musigd/{anna._config.network}/signers/spend"
        for node in (anna, ben):
            await node.follow(frozenset({topic}))
        await ben.inside(lambda node: setattr(node.gossip.pubsub, "judge", boom))
        await anna.publish(topic, Signer().advertise().envelope)
        await ben.sink.until(lambda: ben.sink.offences)
        assert ben.alive
        assert await anna.ask(ben.peer, b"?", 60_000) == b"?"


@network_test
async def test_the_settings_of_gossip_are_the_safe_ones() -> None:
    async with networks(1) as (anna,):
        router = await anna.inside(lambda node: node.gossip.router)
        pubsub = await anna.inside(lambda node: node.gossip.pubsub)
        assert router.heartbeat_interval == 1.0
        assert router.spam_protection_enabled is False
        assert router.do_px is False
        assert pubsub.strict_signing is True
        assert abs(pubsub.counter - time.time_ns()) < 60 * 10**9
        params = router.scorer.params
        weights = (params.p4_invalid_messages.weight, params.p5_behavior_penalty_weight, params.p7_ip_colocation_weight)
        assert all(weight >= 0 for weight in weights)
        assert vars(library_pubsub)["RpcQueue"] is WideQueue
        assert library_pubsub.SUBSCRIPTION_CHANNEL_SIZE == QUEUE == 1024


@network_test
async def test_control_messages_are_cut_to_what_concerns_this_node() -> None:
    async with networks(1) as (anna,):
        topic = f"musigd/{anna._config.network}/signers/spend"
        await anna.follow(frozenset({topic}))
        pubsub = await anna.inside(lambda node: node.gossip.pubsub)
        control = ControlMessage()
        for name in (topic, *(f"elsewhere {number}" for number in range(200))):
            control.ihave.add(topicID=name, messageIDs=[b"x"] * 5_000)
            control.graft.add(topicID=name)
            control.prune.add(topicID=name).peers.add(peerID=b"somebody")
            control.iwant.add(messageIDs=[b"x"] * 5_000)
        pubsub._trim(control)
        assert [entry.topicID for entry in control.ihave] == [topic]
        assert [entry.topicID for entry in control.graft] == [topic]
        assert [entry.topicID for entry in control.prune] == [topic]
        assert len(control.prune[0].peers) == 0
        assert len(control.ihave[0].messageIDs) == 1_024
        assert len(control.iwant) == 64


def test_the_outbound_queue_takes_a_burst() -> None:
    queue = WideQueue()
    assert all(queue.push(RPC()) for _ in range(QUEUE))
    assert not queue.push(RPC())


def test_seen_ids_are_bounded_and_need_no_thread() -> None:
    seen = SeenIds(120)
    assert seen.add(b"a")
    assert not seen.add(b"a")
    for number in range(70_000):
        seen.add(number.to_bytes(4, "big"))
    assert not seen.has(b"a")
    assert len(seen._ids) == 65_536
    assert not hasattr(seen, "_thread")


@network_test
async def test_junk_cannot_take_the_place_of_a_true_message() -> None:
    """A message with a bad author signature does not mark its id as seen."""
    async with networks(1) as (anna,):
        message = Message(data=b"junk", topicIDs=["t"], from_id=bytes(38), seqno=b"1")
        pubsub = await anna.inside(lambda node: node.gossip.pubsub)
        await anna.inside(lambda node: node.gossip.pubsub.push_msg(ID(bytes(range(38))), message))
        assert not pubsub._is_msg_seen(message)
        assert [kind for _, kind in anna.sink.offences] == [Offence.BAD_SIGNATURE]
