"""Who gets in: bans, garbage, idle connections, a long life of comings and goings, private addresses."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from libp2p.peer.id import ID

from musig2.protocol.records.peers import PeerIdentity, peer_text
from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Signed
from p2p.addresses import from_text
from p2p.network import AddressError, NetworkError, Offence, PeerUnreachable
from p2p.node.host import CROWD
from tests.p2p.nodes import TestNode, eventually, network, networks
from tests.p2p.p2p_world import Signer, forged, have, now_ms

pytestmark = pytest.mark.network
HOUR_MS = 3_600_000


def port_of(node: TestNode) -> int:
    return int(node.address.split("/")[4])


async def test_a_banned_peer_is_dropped_and_refused_until_the_ban_is_lifted() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        ben.set_ban(anna.peer, now_ms() + HOUR_MS)
        await anna.sink.until(lambda: not anna.connected(ben.peer))
        await ben.sink.until(lambda: not ben.connected(anna.peer))
        assert not await ben.dial(anna.peer, [from_text(anna.address)])
        await refused(anna, ben)
        ben.lift_ban(anna.peer)
        await anna.meet(ben)


async def refused(one: TestNode, by: TestNode) -> None:
    """`one` may see its connection for a moment, but is never a peer."""
    known = len(by.sink.changes)
    try:
        await one.connect(by.address)
    except PeerUnreachable:
        pass
    else:
        await one.sink.until(lambda: not one.connected(by.peer))
    assert by.sink.changes[known:] == []


async def test_an_ended_ban_is_no_ban() -> None:
    async with networks(2) as (anna, ben):
        ben.set_ban(anna.peer, now_ms() - 1)
        await anna.meet(ben)
        assert ben.connected(anna.peer)


async def test_ten_bad_signatures_end_in_a_ban() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        bad = Signer().message()
        frame = encode_frame(Signed(bad.record, bad.id, forged(bad)))
        anna.send(ben.peer, [frame] * 9 + [have(1)])
        await ben.sink.until(lambda: ben.sink.frames)
        assert ben.sink.bans == []
        anna.send(ben.peer, [frame])
        await ben.sink.until(lambda: ben.sink.bans)
        assert len(ben.sink.bans) == 1
        assert ben.sink.bans[0][0] == anna.peer
        assert ben.sink.offences == [(anna.peer, Offence.BAD_SIGNATURE)] * 10
        await ben.sink.until(lambda: not ben.connected(anna.peer))
        await refused(anna, ben)


async def test_offences_that_only_the_caller_sees_count_too() -> None:
    async with networks(2, ban_after=2) as (anna, ben):
        await anna.meet(ben)
        ben.offend(anna.peer, Offence.RATE)
        ben.offend(anna.peer, Offence.BAD_SIGNATURE)
        ben.offend(anna.peer, Offence.BAD_SIGNATURE)
        await ben.sink.until(lambda: ben.sink.bans)
        assert len(ben.sink.bans) == 1


async def test_a_frame_that_claims_to_be_endless_costs_only_its_stream() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        await anna._call(write_raw, ben.peer, b"\xff\xff\xff\xff")
        await ben.sink.until(lambda: (anna.peer, Offence.BAD_ENCODING) in ben.sink.offences)

        async def heard() -> bool:
            anna.send(ben.peer, [have(2)])  # the first ones may go down with the stream
            return bool(ben.sink.frames)

        await eventually(heard)
        assert anna.connected(ben.peer)


def write_raw(node):  # type: ignore[no-untyped-def] # reaches into the trio side
    async def write(peer: bytes, data: bytes) -> None:
        link = node.sessions.of(peer)
        line = link.best() or await node.sessions._open(link)
        await line.stream.write(data)

    return write


async def test_garbage_and_fifty_idle_connections_do_not_keep_a_peer_out() -> None:
    async with networks(2, upgrade_timeout_ms=500) as (anna, ben):
        sockets = [await asyncio.open_connection("127.0.0.1", port_of(ben)) for _ in range(50)]
        for _, writer in sockets[:25]:
            writer.write(secrets.token_bytes(2_000))
        await eventually(lambda: anna.dial(ben.peer, [from_text(ben.address)]))
        anna.send(ben.peer, [have(1)])
        await ben.sink.until(lambda: ben.sink.frames)
        for _, writer in sockets:
            writer.close()
        assert ben.alive


async def test_the_connections_of_one_address_that_do_not_finish_their_handshake_are_few() -> None:
    async with networks(1, max_pending_per_ip=2, upgrade_timeout_ms=60_000) as (anna,):
        sockets = [await asyncio.open_connection("127.0.0.1", port_of(anna)) for _ in range(40)]
        closed = [asyncio.create_task(reader.read()) for reader, _ in sockets]

        async def turned_away() -> bool:
            return sum(task.done() for task in closed) == 40 - 2 * CROWD

        await eventually(turned_away)
        assert await anna.inside(lambda node: node.host.swarm._pending.total()) == 2 * CROWD
        for _, writer in sockets:
            writer.close()
        await asyncio.gather(*closed)


async def test_a_peer_gets_in_after_three_hundred_others_have_come_and_gone() -> None:
    async with networks(2, max_connections=20) as (anna, ben):
        for _ in range(300):
            await anna.connect(ben.address)
            await anna.disconnect(ben.peer)
        await eventually(lambda: anna.dial(ben.peer, [from_text(ben.address)]))
        await ben.sink.until(lambda: ben.connected(anna.peer))

        async def rests() -> bool:
            return (await ben.stats()).tasks < 60  # those of the last connections end a moment after them

        assert await eventually(rests)


async def test_the_maximum_of_connections_holds() -> None:
    async with networks(5, max_connections=2) as (hub, *others):
        results = [await other.dial(hub.peer, [from_text(hub.address)]) for other in others]
        assert results[:2] == [True, True]
        await eventually(lambda: counted(hub, 2))
        await hub.sink.until(lambda: len(hub.peers()) == 2)


async def counted(node: TestNode, count: int) -> bool:
    return (await node.stats()).connections == count


async def test_private_addresses_are_dialled_only_when_allowed() -> None:
    async with networks(1) as (anna,), network(listen=("/ip4/0.0.0.0/tcp/0",), network=anna._config.network) as ben:
        assert not any("/127." in address or "/0.0.0.0" in address for address in ben.multiaddrs())
        with pytest.raises(PeerUnreachable) as refused_dial:
            await ben.connect(anna.address)
        assert "p2p.private_addresses" in str(refused_dial.value)
        assert not await ben.dial(anna.peer, [from_text(anna.address)])


async def test_an_address_without_a_peer_is_refused_with_a_sentence() -> None:
    async with networks(1) as (anna,):
        for text in ("/ip4/127.0.0.1/tcp/1", "nonsense", "/ip4/127.0.0.1/tcp/1/p2p/nobody"):
            with pytest.raises(AddressError):
                await anna.connect(text)


async def test_an_address_where_nobody_answers_is_reported_and_may_be_tried_again_at_once() -> None:
    async with networks(1) as (anna,):
        async with network(network=anna._config.network) as ben:
            address, peer = ben.address, ben.peer
        with pytest.raises(PeerUnreachable):
            await anna.connect(address)
        assert not await anna.dial(peer, ())


async def test_another_peer_at_the_address_is_refused() -> None:
    async with networks(3) as (anna, ben, cleo):
        assert not await anna.dial(cleo.peer, [from_text(ben.address)])
        assert anna.peers() == []


async def test_address_for_a_peer_that_is_connected_already_is_not_said_to_work_and_not_kept() -> None:
    async with networks(3) as (anna, ben, cleo):
        assert (await anna.connect(ben.address)) == (ben.peer, False)
        before = await anna.inside(lambda node: node.host.get_peerstore().vouched(ID(ben.peer)))
        for wrong in ("/ip4/127.0.0.1/tcp/1", cleo.address.partition("/p2p/")[0]):
            assert (await anna.connect(f"{wrong}/p2p/{ben.peer_text}")) == (ben.peer, True)
            binary = from_text(wrong)
            assert (await anna.inside(lambda node, addr=binary: node.reach.connect(ben.peer, addr))) is True
        assert await anna.inside(lambda node: node.host.get_peerstore().vouched(ID(ben.peer))) == before


async def test_address_that_did_not_work_is_not_kept_though_the_peer_was_met_before() -> None:
    async with networks(2) as (anna, ben):
        await anna.connect(ben.address)
        before = await anna.inside(lambda node: node.host.get_peerstore().vouched(ID(ben.peer)))
        await anna.disconnect(ben.peer)
        wrong = f"/ip4/127.0.0.1/tcp/1/p2p/{ben.peer_text}"
        assert (await anna.connect(wrong)) == (ben.peer, True)  # by the address that is known
        assert set(await anna.inside(lambda node: node.host.get_peerstore().vouched(ID(ben.peer)))) == set(before)


async def test_a_peer_that_was_never_reached_is_not_kept() -> None:
    async with networks(2) as (anna, ben):
        nobody = PeerIdentity(secrets.token_bytes(32)).peer
        wrong = ben.address.replace(ben.peer_text, peer_text(nobody))
        for _ in range(2):
            with pytest.raises(PeerUnreachable, match=f"{ben.peer_text} instead of {peer_text(nobody)}"):
                await anna.connect(wrong)
        assert not await anna.inside(lambda node: node.host.get_peerstore().has_peer(ID(nobody)))
        assert (await anna.stats()).dht_peers == 0
        await anna.connect(ben.address)
        await anna.disconnect(ben.peer)
        assert await anna.dial(ben.peer, ())  # who was met before is remembered


async def test_a_taken_port_is_named_with_the_remedy() -> None:
    async with networks(1) as (anna,):
        with pytest.raises(NetworkError) as taken:
            async with network(listen=(anna.address.partition("/p2p/")[0],)):
                pass
        assert taken.value.reason == "port_taken"
        assert "p2p.listen" in str(taken.value)


@pytest.mark.parametrize("listen", ["/ip4/127.0.0.1/udp/1/quic-v1", "/dns4/localhost/tcp/1", "127.0.0.1:4327"])
async def test_a_listen_address_that_cannot_work_is_refused_with_a_sentence(listen: str) -> None:
    with pytest.raises(NetworkError) as bad:
        async with network(listen=(listen,)):
            pass
    assert bad.value.reason == "bad_address"
