"""What one hostile peer tries with connections and streams costs that peer, and no other."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
import trio
from libp2p.host.exceptions import StreamFailure
from libp2p.host.ping import ID as PING
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.peer.id import ID
from libp2p.peer.peerstore import create_signed_peer_record
from libp2p.rcmgr import Direction

from musig2.protocol.records.peers import PeerIdentity, peer_text
from p2p.addresses import Multiaddr, from_text
from p2p.compat import host as compat_host
from p2p.compat import swarm_conn
from p2p.compat.host import MAX_DEBT_S, STREAM_RATE
from p2p.compat.yamux import MAX_INBOUND_STREAMS
from p2p.compat.yamux_stream import HEADER, RST, SYN, WINDOW_UPDATE
from p2p.network import NetStatus, PeerUnreachable, Standing
from p2p.sources import range_or_host, source_of_ip
from tests.p2p.nodes import TestNode, eventually, networks
from tests.p2p.p2p_world import have, now_ms

pytestmark = pytest.mark.network


async def test_streams_that_are_opened_and_reset_at_once_pile_up_no_tasks() -> None:
    async with networks(2) as (mallory, ben):
        await mallory.meet(ben)
        before = (await ben.stats()).tasks
        assert await mallory.inside(lambda node: open_and_reset(node, ben.peer, 5_000))
        assert (await ben.stats()).tasks <= before + MAX_INBOUND_STREAMS + 10


async def open_and_reset(node: Any, peer: bytes, count: int) -> bool:
    """Open streams and reset each at once; True when the other side has seen the last of them."""
    conn = node.host.swarm.get_connections(ID(peer))[0].muxed_conn
    for _ in range(count // 20):
        for _ in range(20):
            number, conn._next_id = conn._next_id, conn._next_id + 2
            conn.queue(HEADER.pack(0, WINDOW_UPDATE, SYN, number, 0) + HEADER.pack(0, WINDOW_UPDATE, RST, number, 0))
        await conn._sent.wait()
    return not conn.is_closed


async def test_a_peer_that_overdraws_its_budget_by_seconds_loses_its_connection() -> None:
    async with networks(2) as (mallory, ben):
        await mallory.meet(ben)
        await ben.inside(lambda node: overdraw(node, mallory.peer, MAX_DEBT_S + 60))
        with pytest.raises(StreamFailure):
            await mallory.inside(lambda node: node.host.new_stream(ID(ben.peer), [PING]))
        await ben.sink.until(lambda: not ben.connected(mallory.peer))


def overdraw(node: Any, peer: bytes, seconds: float) -> None:
    """As if the peer had opened streams, or sent pings over many, until it is that far behind."""
    now = trio.current_time()
    node.host._paces.of(peer, now).owe((10 + seconds) * STREAM_RATE, now)


# Connections.


async def test_connections_that_are_turned_away_count_for_nothing() -> None:
    async with networks(7) as (hub, *others):
        await hub.inside(lambda node: few_per_source(node, 2))
        for other in others:
            await other.dial(hub.peer, [from_text(hub.address)])
        assert len(hub.peers()) == 2
        assert await hub.inside(lambda node: list(node.host.swarm._inbound.values())) == [2]


def few_per_source(node: Any, most: int) -> None:
    node.host.swarm._rules = dataclasses.replace(node.host.swarm._rules, max_per_ip=most)


def test_all_addresses_of_an_ipv6_subscriber_are_one_source() -> None:
    assert source_of_ip("2001:db8:1:1::5") == source_of_ip("2001:db8:1:1:ffff::7") == "2001:db8:1:1::/64"
    assert source_of_ip("2001:db8:1:2::5") != source_of_ip("2001:db8:1:1::5")
    assert source_of_ip("fe80::1%lo") == source_of_ip("fe80::2")
    assert source_of_ip("::ffff:192.0.2.1") == source_of_ip("192.0.2.1") == "192.0.2.1"
    assert source_of_ip("192.0.2.2") != source_of_ip("192.0.2.1")


async def test_a_peer_that_never_identifies_itself_loses_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async with networks(2) as (mute, ben):
        await mute.inside(lambda node: node.host.set_stream_handler(IDENTIFY, silence))
        monkeypatch.setattr(compat_host, "IDENTIFY_S", 0.5)
        await mute.connect(ben.address)
        await ben.sink.until(lambda: len(ben.sink.changes) >= 2)
        assert [change.connected for change in ben.sink.changes[:2]] == [True, False]


async def silence(_: Any) -> None:
    await trio.sleep_forever()


async def test_a_full_node_closes_the_oldest_useless_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm_conn, "SETTLE_S", 0.0)
    async with networks(4, max_connections=2) as (hub, signer, idle, late):
        await signer.meet(hub)
        assert hub.send(signer.peer, [have(1)])
        await signer.sink.until(lambda: signer.sink.frames)
        await idle.meet(hub)
        await late.meet(hub)
        await hub.sink.until(lambda: not hub.connected(idle.peer))
        assert hub.connected(signer.peer)


async def test_a_node_full_of_strangers_closes_the_oldest_and_no_known_peer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(swarm_conn, "STAY_S", 0.0)
    async with networks(6, max_connections=3) as (hub, friend, first, second, late, other):
        hub.stand(friend.peer, Standing.KNOWN)
        for node in (first, second):
            await node.meet(other)  # who loses the only peer it has dials it again, and takes the place of the next
        for node in (friend, first, second):
            await node.meet(hub)
            assert hub.send(node.peer, [have(1)])
            await node.sink.until(lambda node=node: node.sink.frames)
        await late.connect(hub.address)
        await hub.sink.until(lambda: (first.peer, False) in changes(hub))
        await hub.sink.until(lambda: (late.peer, True) in changes(hub))
        assert hub.connected(friend.peer)


def changes(node: TestNode) -> list[tuple[bytes, bool]]:
    """The connects and disconnects that the node reported."""
    return [(change.peer, change.connected) for change in node.sink.changes]


class Conn:
    """An inbound connection that carries a session stream."""

    direction = Direction.INBOUND
    is_closed = False

    def __init__(self, peer: bytes, host: str, since: float) -> None:
        self.since = since
        self.muxed_conn = SimpleNamespace(peer_id=ID(peer), get_remote_address=lambda: (host, 1))

    def is_useless(self, now: float) -> bool:
        return False


def chosen(*connections: Conn, had: Mapping[str, int] = MappingProxyType({})) -> Conn | None:
    """Who gives way at second 60; `had`: handshakes by range."""
    counts = {range_or_host(host): float(number) for host, number in had.items()}
    choose: Any = swarm_conn.gives_way
    found: Conn | None = choose(
        connections, lambda peer: peer != ID(b"friend"), lambda source: counts.get(source, 0.0), 60.0
    )
    return found


def test_the_source_with_most_connections_gives_way_to_a_newcomer() -> None:
    crowd = [Conn(b"crowd %d" % number, f"9.9.9.{number}", since=50.0 + number) for number in range(3)]
    other, friend = Conn(b"other", "9.9.8.1", since=0.0), Conn(b"friend", "9.9.7.1", since=0.0)
    assert chosen(friend, other, *crowd) is crowd[0]
    assert chosen(friend, other, crowd[0]) is other
    assert chosen(friend) is None


def test_who_came_again_and_again_gives_way_before_who_came_once_and_nobody_in_the_first_seconds() -> None:
    once, often = Conn(b"once", "9.9.9.1", since=0.0), Conn(b"often", "9.9.8.1", since=50.0)
    assert chosen(once, often, had={"9.9.9.1": 1, "9.9.8.1": 5}) is often
    assert chosen(once, often, had={"9.9.9.1": 1, "9.9.8.1": 1}) is once
    assert chosen(Conn(b"new", "9.9.7.1", since=59.0), had={"9.9.7.1": 9}) is None


async def test_a_ban_during_which_something_fails_does_not_stop_the_node() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)

        async def fails(_: bytes) -> None:
            raise ValueError("made by the test")

        await ben.inside(lambda node: setattr(node.reach, "disconnect", fails))
        ben.set_ban(anna.peer, now_ms() + 3_600_000)
        await ben.inside(lambda node: node.gate._reports.on_ban(anna.peer, "made by the test"))

        async def counted() -> bool:
            return (await ben.stats()).offences.get("fault") == 2

        await eventually(counted)
        assert ben.alive
        assert [state.status for state in ben.sink.states] == [NetStatus.UP]


async def test_what_waits_for_a_stranger_or_for_one_that_says_nothing_takes_less_memory() -> None:
    async with networks(2, outbox_bytes=4_000, silent_outbox_bytes=1_000) as (anna, ben):
        await anna.meet(ben)
        assert not ben.send(anna.peer, [bytes(2_000)])
        anna.send(ben.peer, [have(1)])
        await ben.sink.until(lambda: ben.sink.frames)
        assert not ben.send(anna.peer, [bytes(2_000)])
        ben.stand(anna.peer, Standing.KNOWN)
        anna.send(ben.peer, [have(2)])
        await ben.sink.until(lambda: len(ben.sink.frames) > 1)
        assert ben.send(anna.peer, [bytes(2_000)])


# Addresses.


async def test_hearsay_does_not_come_before_an_address_that_is_given_or_has_worked() -> None:
    async with networks(2) as (anna, ben):
        true = Multiaddr(ben.address.partition("/p2p/")[0])
        dead = [Multiaddr(f"/ip4/127.0.0.1/tcp/{port}") for port in range(9, 25)]

        async def order(node: Any) -> list[Multiaddr]:
            return list(node.host.swarm.dial_candidates(ID(ben.peer)))

        await anna.inside(lambda node: node.host.get_peerstore().add_addrs(ID(ben.peer), dead, 600))
        assert true not in await anna.inside(order)
        assert await anna.dial(ben.peer, [from_text(ben.address)])
        await anna.disconnect(ben.peer)
        await anna.inside(lambda node: node.host.get_peerstore().add_addrs(ID(ben.peer), dead, 600))
        assert (await anna.inside(order))[0] == true
        assert await anna.dial(ben.peer, ())


async def test_where_a_peer_says_it_is_comes_before_what_others_say() -> None:
    async with networks(2) as (anna, ben):
        await ben.meet(anna)

        async def named() -> bool:
            return bool(anna.peers() and anna.peers()[0].agent)

        await eventually(named)
        dead = [Multiaddr(f"/ip4/127.0.0.1/tcp/{port}") for port in range(9, 25)]
        await anna.inside(lambda node: node.host.get_peerstore().add_addrs(ID(ben.peer), dead, 600))
        await ben.disconnect(anna.peer)
        await anna.sink.until(lambda: not anna.connected(ben.peer))
        assert await anna.dial(ben.peer, ())


async def test_a_peer_record_too_large_to_repeat_is_not_kept() -> None:
    async with networks(2) as (anna, ben):
        store = await anna.inside(lambda node: node.host.get_peerstore())
        keys = await ben.inside(lambda node: node.host.get_private_key())
        addrs = [Multiaddr(f"/ip4/8.8.8.8/tcp/{port}") for port in range(1, 1_000)]
        assert not store.consume_peer_record(create_signed_peer_record(ID(ben.peer), addrs, keys), 60)
        assert store.consume_peer_record(create_signed_peer_record(ID(ben.peer), addrs[:16], keys), 60)
        assert len(store.addrs(ID(ben.peer))) == 16


async def test_an_address_with_a_wrong_peer_leaves_nothing_in_the_address_book() -> None:
    async with networks(2) as (anna, ben):
        stranger = PeerIdentity(secrets.token_bytes(32)).peer
        with pytest.raises(PeerUnreachable):
            await anna.connect(f"{ben.address.partition('/p2p/')[0]}/p2p/{peer_text(stranger)}")
        assert not await anna.inside(lambda node: node.host.get_peerstore().has_peer(ID(stranger)))
