"""Two nodes meet through a third: what they say arrives, the third cannot read it, and its bounds hold."""

from __future__ import annotations

import pytest
from libp2p.network.stream.net_stream import NetStream

from p2p.addresses import Multiaddr, from_text, is_relayed
from p2p.network import PeerUnreachable
from p2p.relay import bridge
from tests.p2p.nodes import identified, network
from tests.p2p.p2p_world import Signer, have
from tests.p2p.relay.relay_world import reachable_through, relayed, relayed_addresses

pytestmark = pytest.mark.network


async def test_frames_travel_through_a_relay_both_ways() -> None:
    async with relayed(2) as (relay, (anna, ben)):
        await ben.connect(relayed_addresses(anna)[0])
        await anna.sink.until(lambda: anna.connected(ben.peer))
        for number in range(100):
            assert anna.send(ben.peer, [have(number)])
            assert ben.send(anna.peer, [have(number)])
        await ben.sink.until(lambda: len(ben.sink.frames) == 100)
        await anna.sink.until(lambda: len(anna.sink.frames) == 100)
        assert {peer for peer, _ in ben.sink.frames} == {anna.peer}
        assert {info.relay for info in [*anna.peers(), *ben.peers()]} == {None, relay.peer}


async def test_a_relay_sees_none_of_the_bytes_that_it_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    carried: list[bytes] = []
    read = bridge._read

    async def remembered(stream: NetStream) -> bytes:
        carried.append(await read(stream))
        return carried[-1]

    monkeypatch.setattr(bridge, "_read", remembered)
    async with relayed(2) as (_, (anna, ben)):
        await ben.connect(relayed_addresses(anna)[0])
        message = Signer().message()
        assert ben.send(
            anna.peer, [b"\x82" + b"\x63env" + b"\x59" + len(message.envelope).to_bytes(2) + message.envelope]
        )
        await anna.sink.until(lambda: anna.sink.frames)
        everything = b"".join(carried)
    assert len(everything) > len(message.envelope)
    assert message.envelope not in everything
    assert b"/musigd/" not in everything


async def test_questions_are_answered_through_a_relay() -> None:
    async with relayed(2) as (_, (anna, ben)):
        await ben.connect(relayed_addresses(anna)[0])
        assert await ben.ask(anna.peer, b"abc", 60_000) == b"cba"


async def test_a_node_that_knows_the_address_through_a_relay_need_not_know_the_relay() -> None:
    async with relayed(1) as (relay, (anna,)), network(network=relay._config.network) as ben:
        await ben.connect(relayed_addresses(anna)[0])
        assert ben.connected(anna.peer)
        assert ben.connected(relay.peer)


async def test_two_relays_are_used_where_there_are_two() -> None:
    async with relayed(1) as (one, (anna,)), network(network=one._config.network, relay_service=True) as two:
        await anna.connect(two.address)
        texts = await reachable_through(anna, relays=2)
        assert {text.split("/p2p/")[1].partition("/")[0] for text in texts} == {one.peer_text, two.peer_text}


async def test_an_address_is_taken_back_when_its_relay_goes() -> None:
    async with relayed(1) as (one, (anna,)), network(network=one._config.network, relay_service=True) as two:
        await anna.connect(two.address)
        await reachable_through(anna, relays=2)
        await two.stop()
        await anna.sink.until(lambda: not anna.connected(two.peer))
        assert all(one.peer_text in text for text in relayed_addresses(anna))


async def test_nobody_is_reached_through_a_relay_without_a_reservation() -> None:
    async with relayed(1) as (relay, (anna,)), network(network=relay._config.network) as ben:
        await ben.connect(relay.address)
        await identified(ben)
        text = relayed_addresses(anna)[0].replace(anna.peer_text, ben.peer_text)
        with pytest.raises(PeerUnreachable):
            await anna.connect(text)


async def test_a_node_that_is_no_relay_gives_no_reservation() -> None:
    async with network() as plain, network(relay_client="always", bootstrap=(plain.address,)) as anna:
        await identified(anna)
        assert not any(is_relayed(Multiaddr(from_text(text))) for text in anna.multiaddrs())
        assert await anna.inside(lambda node: node.relays.lacking)
