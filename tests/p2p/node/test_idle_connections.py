"""Connections that a node opened and does not use are closed when there are too many; what is needed stays."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from libp2p.peer.id import ID

from p2p.addresses import from_text
from p2p.network import PeerChange
from tests.p2p.nodes import TestNode, eventually, identified, network, networks
from tests.p2p.p2p_world import Signer, have

pytestmark = pytest.mark.network


async def unused(node: Any) -> None:
    """As if nothing had come over any connection for as long as it takes."""
    node.idle._idle_s = 0.0
    node.idle._used = dict.fromkeys(node.idle._used, 0)
    await node.idle.close_some()


def present(node: TestNode) -> set[bytes]:
    return {info.peer for info in node.peers()}


def departure(node: TestNode) -> PeerChange:
    return next(change for change in node.sink.changes if not change.connected)


async def find(node: TestNode, *others: TestNode) -> None:
    """Connect to others as the daemon does when it looks for peers or signers, not because the owner says so."""
    for other in others:
        assert await node.dial(other.peer, [from_text(other.address)])
        await other.sink.until(lambda other=other: other.connected(node.peer))


async def test_above_what_is_kept_those_that_were_opened_here_are_closed_to_three_quarters() -> None:
    async with networks(10, kept_connections=8, idle_ms=100) as (hub, *others):
        await find(hub, *others)
        await hub.sink.until(lambda: len(hub.peers()) <= 6)
        gone = [other for other in others if not hub.connected(other.peer)]
        for other in gone:
            await other.sink.until(lambda other=other: not other.connected(hub.peer))
        assert all(departure(node).unneeded for node in (hub, *gone))


async def test_up_to_what_is_kept_nothing_is_closed() -> None:
    async with networks(5, kept_connections=4) as (hub, *others):
        await find(hub, *others)
        await hub.inside(unused)
        assert present(hub) == {other.peer for other in others}


async def test_nothing_is_closed_that_the_peer_opened() -> None:
    async with networks(5, kept_connections=1) as (hub, *others):
        for other in others:
            await find(other, hub)
        await hub.inside(unused)
        assert present(hub) == {other.peer for other in others}


async def test_whom_the_owner_named_sessions_and_what_waits_keep_their_connections() -> None:
    async with (
        networks(6) as (start, asked_for, signer, behind, spare, other),
        network(network=start._config.network, bootstrap=(start.address,), kept_connections=1) as node,
    ):
        await node.sink.until(lambda: node.connected(start.peer))
        await node.meet(asked_for)
        await find(node, signer, behind, spare, other)
        node.sink.sessions_with.add(signer.peer)

        async def with_something_waiting(inner: Any) -> None:
            inner.sessions.of(behind.peer).writing = 1
            await unused(inner)

        await node.inside(with_something_waiting)
        assert present(node) == {start.peer, asked_for.peer, signer.peer, behind.peer}


async def test_a_connection_over_which_frames_came_stays_for_the_time_of_a_partner() -> None:
    async with networks(3, kept_connections=1, partner_ms=3_600_000) as (node, partner, other):
        await find(node, partner, other)
        assert partner.send(node.peer, [have(1)])
        await node.sink.until(lambda: node.sink.frames)

        async def long_after_all_else(inner: Any) -> None:
            inner.idle._idle_s = 0.0
            await inner.idle.close_some()

        await node.inside(long_after_all_else)
        assert present(node) == {partner.peer}


async def test_of_the_followers_of_a_topic_six_stay() -> None:
    async with networks(10, kept_connections=1) as (hub, *others):
        topic = f"musigd/{hub._config.network}/signers/spend"
        await asyncio.gather(*(node.follow(frozenset({topic})) for node in (hub, *others)))
        await find(hub, *others)

        async def followed() -> bool:
            return (await hub.stats()).topics == {topic: 9}

        await eventually(followed)
        await hub.inside(unused)
        assert len(present(hub)) == 6


async def test_a_crowd_that_comes_in_does_not_take_the_place_of_followers_that_were_dialled() -> None:
    async with networks(12, kept_connections=8, idle_ms=3_600_000) as (hub, *others):
        dialled, crowd = others[:4], others[4:]
        topic = f"musigd/{hub._config.network}/signers/spend"
        await asyncio.gather(*(node.follow(frozenset({topic})) for node in (hub, *others)))
        await find(hub, *dialled)
        for node in crowd:
            await find(node, hub)

        async def followed() -> bool:
            return (await hub.stats()).topics == {topic: 11}

        await eventually(followed)
        await hub.inside(unused)
        assert present(hub) == {node.peer for node in others}


async def test_a_question_that_is_not_answered_yet_keeps_its_connection_at_both_ends() -> None:
    async with networks(4, kept_connections=1, idle_ms=3_600_000) as (node, asked, other, another):
        await find(node, asked, other)
        await find(asked, another)
        heard, go_on = asyncio.Event(), asyncio.Event()

        async def answer_later(peer: bytes, payload: bytes) -> bytes:
            heard.set()
            await go_on.wait()
            return payload

        asked.sink.answer = answer_later
        question = asyncio.create_task(node.ask(asked.peer, b"question", 600_000))
        await heard.wait()
        await node.inside(unused)
        await asked.inside(unused)
        go_on.set()
        assert await question == b"question"
        assert not node.connected(other.peer)


async def test_a_lookup_that_was_not_answered_yet_keeps_its_connection() -> None:
    async with networks(3, kept_connections=1, idle_ms=3_600_000) as (node, asked, other):
        await find(node, asked, other)
        await identified(asked, other)

        async def beside_a_lookup(inner: Any) -> None:
            stream = await inner.host.new_stream(ID(asked.peer), [inner.dht.protocol])
            await unused(inner)
            await stream.reset()

        await node.inside(beside_a_lookup)
        assert present(node) == {asked.peer}


async def test_the_closest_of_the_routing_table_stay_and_those_that_were_closed_are_asked_again() -> None:
    async with networks(9, kept_connections=8, idle_ms=3_600_000) as (hub, *others):
        await find(hub, *others)
        extra = Signer()
        async with network(network=hub._config.network) as ninth:
            await find(hub, ninth)
            await identified(*others, ninth)

            async def known() -> bool:
                return (await hub.stats()).dht_peers == 9

            await eventually(known)
            await hub.inside(unused)
            assert len(present(hub)) == 6
            nearest = await hub.inside(lambda node: [peer.to_bytes() for peer in node.dht.neighbours(2)])
            assert present(hub) >= set(nearest)
            away = next(node for node in (*others, ninth) if not hub.connected(node.peer))
            assert await hub.inside(lambda node: ID(away.peer) in node.dht.service.routing_table.get_peer_ids())
            record = extra.advertise()
            key = f"/musigd-{hub._config.network}/{extra.key.pubkey.hex()}"
            await away.inside(lambda node: node.dht.service.value_store.put(key.encode(), record.envelope))
            assert await hub.dht_get(extra.key.pubkey) == record.envelope


async def test_a_start_peer_that_has_no_use_for_a_node_is_left_alone_while_there_are_six_others() -> None:
    async with (
        networks(7) as (start, *others),
        network(network=start._config.network, bootstrap=(start.address,), bootstrap_pause_ms=50) as node,
    ):
        await node.sink.until(lambda: node.connected(start.peer))
        await find(node, *others)
        await start.sink.until(lambda: start.connected(node.peer))

        async def let_go(inner: Any) -> None:
            await inner.host.swarm.live(ID(node.peer))[0].close_unneeded()

        await start.inside(let_go)
        await node.sink.until(lambda: not node.connected(start.peer))
        assert await node.inside(lambda inner: inner.reach._once())
        assert not node.connected(start.peer)
        await node.disconnect(others[0].peer)
        await node.sink.until(lambda: node.connected(start.peer))


async def test_a_peer_that_was_closed_as_unneeded_can_be_dialled_at_once() -> None:
    async with networks(2, kept_connections=0, idle_ms=3_600_000) as (node, other):
        await find(node, other)
        await node.inside(unused)
        await node.sink.until(lambda: not node.connected(other.peer))
        await other.sink.until(lambda: not other.connected(node.peer))
        assert await node.dial(other.peer, [])
