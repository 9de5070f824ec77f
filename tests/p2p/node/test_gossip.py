"""Valid records reach all followers of a topic once; forged ones stop at the first honest node."""

from __future__ import annotations

import itertools
import secrets
import time
from typing import Any

import pytest
import trio
from libp2p.abc import INetStream
from libp2p.peer.id import ID
from libp2p.pubsub.pb.rpc_pb2 import RPC
from multiaddr import Multiaddr  # type: ignore[import-untyped]  # without type information

from musig2.protocol.records.peers import PeerIdentity
from p2p.network import Offence, P2PError
from tests.p2p.nodes import TestNode, eventually, networks
from tests.p2p.p2p_world import DAY_MS, Signer, forged, now_ms

pytestmark = pytest.mark.network


def topic(node: TestNode, kind: str = "spend") -> str:
    return f"musigd/{node._config.network}/signers/{kind}"


async def line(nodes: list[TestNode], *topics: str) -> None:
    """Connect the nodes in a row and wait until each knows what its neighbours follow."""
    for node in nodes:
        await node.follow(frozenset(topics))
    for one, next_one in itertools.pairwise(nodes):
        await one.meet(next_one)
    for node in nodes:
        await known(node, topics, 1 if node in (nodes[0], nodes[-1]) else 2)


async def known(node: TestNode, topics: tuple[str, ...], count: int) -> None:
    async def enough() -> bool:
        followers = (await node.stats()).topics
        return all(followers.get(name, 0) >= count for name in topics)

    await eventually(enough)


async def test_an_advertisement_reaches_five_nodes_in_a_row_once_each() -> None:
    async with networks(5) as nodes:
        await line(nodes, topic(nodes[0]))
        sent = [Signer().advertise() for _ in range(20)]
        for signed in sent:
            assert await nodes[0].publish(topic(nodes[0]), signed.envelope) == 1
        for node in nodes[1:]:
            await node.sink.until(lambda node=node: len(node.sink.gossip) == 20)
            assert {item.signed.id for item in node.sink.gossip} == {signed.id for signed in sent}
        assert nodes[0].sink.gossip == []
        assert nodes[-1].sink.gossip[0].peer == nodes[-2].peer


async def test_a_burst_of_three_hundred_is_not_lost() -> None:
    async with networks(2) as (anna, ben):
        await line([anna, ben], topic(anna))
        sent = [Signer().advertise() for _ in range(300)]
        for signed in sent:
            await anna.publish(topic(anna), signed.envelope)
        await ben.sink.until(lambda: len(ben.sink.gossip) >= 300)
        assert {item.signed.id for item in ben.sink.gossip} == {signed.id for signed in sent}


@pytest.mark.parametrize(
    "wrong",
    ["signature", "encoding", "topic", "old", "future", "expired"],
)
async def test_forged_records_are_neither_delivered_nor_forwarded(wrong: str) -> None:
    async with networks(3) as nodes:
        anna, ben, cleo = nodes
        await line(nodes, topic(anna), topic(anna, "swap"))
        now = now_ms()
        bad = {
            "signature": forged(Signer().advertise()),
            "encoding": b"\xa0" + secrets.token_bytes(20),
            "topic": Signer().advertise(types=("swap",)).envelope,
            "old": Signer().advertise(ts=now - 400_000, exp=now + DAY_MS).envelope,
            "future": Signer().advertise(ts=now + 400_000, exp=now + DAY_MS).envelope,
            "expired": Signer().advertise(ts=now - 1_000, exp=now - 1).envelope,
        }[wrong]
        good = Signer().advertise()
        await anna.publish(topic(anna), bad)
        await anna.publish(topic(anna), good.envelope)
        await cleo.sink.until(lambda: cleo.sink.gossip)
        assert [item.signed.id for item in ben.sink.gossip + cleo.sink.gossip] == [good.id] * 2
        expected = {"signature": [Offence.BAD_SIGNATURE], "encoding": [Offence.BAD_ENCODING]}.get(wrong, [])
        assert [kind for _, kind in ben.sink.offences] == expected
        assert cleo.sink.offences == []


async def test_the_same_record_under_another_message_id_is_not_forwarded_again() -> None:
    async with networks(3) as nodes:
        anna, ben, cleo = nodes
        await line(nodes, topic(anna))
        signed, last = Signer().advertise(), Signer().advertise()
        for envelope in (signed.envelope, signed.envelope, last.envelope):
            await anna.publish(topic(anna), envelope)
        await cleo.sink.until(lambda: len(cleo.sink.gossip) == 2)
        assert [item.signed.id for item in ben.sink.gossip] == [signed.id, last.id]


async def test_a_lost_gossip_stream_is_opened_again_and_subscriptions_are_kept() -> None:
    async with networks(2) as (anna, ben):
        await line([anna, ben], topic(anna))
        await anna.inside(lambda node: node.gossip.pubsub.peers[ID(ben.peer)].reset())

        async def heard() -> bool:
            assert await anna.publish(topic(anna), Signer().advertise().envelope) == 1
            return bool(ben.sink.gossip)

        await eventually(heard)


async def test_a_topic_that_is_followed_while_a_peer_is_greeted_is_told_to_that_peer() -> None:
    async with networks(2) as (anna, ben):
        assert anna._node is not None
        name, pubsub = topic(anna), anna._node.gossip.pubsub
        greeting = pubsub.get_hello_packet

        def greeting_just_before() -> RPC:
            packet = greeting()
            pubsub.manager.run_task(pubsub.subscribe, name)  # runs while the greeting is written
            return packet

        pubsub.get_hello_packet = greeting_just_before  # type: ignore[method-assign]  # the moment in question
        await ben.follow(frozenset({name}))
        await anna.meet(ben)
        await known(ben, (name,), 1)
        assert (await ben.stats()).topics == {name: 1}


@pytest.mark.parametrize("closing", ["who greets", "who is greeted"])
async def test_a_greeting_that_is_lost_with_one_of_two_connections_is_said_again(closing: str) -> None:
    async with networks(2) as (anna, ben):
        name, unread, lost = topic(anna), trio.Event(), trio.Event()
        assert ben._node is not None
        pubsub = ben._node.gossip.pubsub
        read = pubsub.continuously_read_stream

        async def read_later(stream: INetStream) -> None:
            if unread.is_set():
                await read(stream)
            unread.set()
            await lost.wait()

        pubsub.continuously_read_stream = read_later  # type: ignore[method-assign]  # the greeting is on its way
        await anna.follow(frozenset({name}))
        await anna.meet(ben)
        await ben.inside(lambda _: unread.wait())
        first = await connections(anna, ben), await connections(ben, anna)
        there = (Multiaddr(anna.address), ID(anna.peer))
        await ben.inside(lambda node: node.host.swarm._dial_addr_single_attempt(*there))
        await eventually(lambda: both(anna, ben))
        await (anna if closing == "who greets" else ben).inside(lambda _: first[closing != "who greets"][0].close())
        await ben.inside(lambda _: lost.set())
        await eventually(lambda: ben.inside(lambda node: ID(anna.peer) in node.gossip.pubsub.peer_topics.get(name, ())))
        assert await ben.publish(name, Signer().advertise().envelope) == 1
        await anna.sink.until(lambda: anna.sink.gossip)


async def connections(node: TestNode, other: TestNode) -> list[Any]:
    """Those that are open, the oldest first."""
    found: list[Any] = await node.inside(lambda inner: inner.host.swarm.live(ID(other.peer)))
    return found


async def both(anna: TestNode, ben: TestNode) -> bool:
    return len(await connections(anna, ben)) == len(await connections(ben, anna)) == 2


async def test_notices_and_withdrawals_travel_too() -> None:
    async with networks(2) as (anna, ben):
        requests = f"musigd/{anna._config.network}/requests"
        await line([anna, ben], topic(anna), requests)
        signer = Signer()
        withdrawal, notice = signer.withdraw(), signer.notice()
        await anna.publish(topic(anna), withdrawal.envelope)
        await anna.publish(requests, notice.envelope)
        await anna.publish(requests, withdrawal.envelope)  # does not belong there
        await ben.sink.until(lambda: len(ben.sink.gossip) == 2)
        assert {item.signed.id for item in ben.sink.gossip} == {withdrawal.id, notice.id}


async def test_a_peer_that_floods_a_topic_is_cut_to_its_rate_and_not_banned() -> None:
    rate, burst = 1, 5
    async with networks(2, gossip_rate=rate) as (anna, ben):
        await line([anna, ben], topic(anna))
        begun = time.monotonic()
        for _ in range(100):
            await anna.publish(topic(anna), Signer().advertise().envelope)
        await ben.sink.until(lambda: (anna.peer, Offence.RATE) in ben.sink.offences)
        await ben.sink.until(lambda: len(ben.sink.gossip) >= burst)
        assert len(ben.sink.gossip) <= burst + rate * (time.monotonic() - begun)
        assert ben.sink.bans == []


async def test_the_flood_of_one_publisher_is_cut_where_it_begins_and_others_are_heard_behind_it() -> None:
    async with networks(3) as nodes:
        anna, ben, cleo = nodes
        await line(nodes, topic(anna))
        flooding = PeerIdentity(secrets.token_bytes(32))
        for _ in range(300):
            await anna.publish(topic(anna), Signer(peer=flooding).advertise().envelope)
        honest = Signer().advertise()
        await anna.publish(topic(anna), honest.envelope)
        await cleo.sink.until(lambda: any(item.signed.id == honest.id for item in cleo.sink.gossip))
        for node in (ben, cleo):
            assert 90 <= sum(item.signed.id != honest.id for item in node.sink.gossip) < 200
        assert ben.sink.offences == cleo.sink.offences == []


async def test_forgeries_in_the_name_of_a_peer_do_not_silence_it() -> None:
    async with networks(2, ban_after=1_000) as (anna, ben):
        await line([anna, ben], topic(anna))
        honest = PeerIdentity(secrets.token_bytes(32))
        for _ in range(150):
            await anna.publish(topic(anna), forged(Signer(peer=honest).advertise()))
        true = Signer(peer=honest).advertise()
        await anna.publish(topic(anna), true.envelope)
        await ben.sink.until(lambda: ben.sink.gossip)
        assert [item.signed.id for item in ben.sink.gossip] == [true.id]


async def test_a_message_over_the_limit_is_refused_where_it_is_made() -> None:
    async with networks(1) as (anna,):
        with pytest.raises(P2PError) as refused:
            await anna.publish(topic(anna), bytes(60_000))
        assert refused.value.reason == "too_large"


async def test_a_topic_that_is_left_brings_nothing_more() -> None:
    async with networks(2) as (anna, ben):
        await line([anna, ben], topic(anna), topic(anna, "swap"))
        await ben.follow(frozenset({topic(anna, "swap")}))
        await anna.publish(topic(anna), Signer().advertise().envelope)
        kept = Signer().advertise(types=("swap",))
        await anna.publish(topic(anna, "swap"), kept.envelope)
        await ben.sink.until(lambda: ben.sink.gossip)
        assert [item.signed.id for item in ben.sink.gossip] == [kept.id]
