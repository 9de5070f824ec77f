"""What a relay and its users may not do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, PeerId, StopMessage

from p2p.addresses import Multiaddr
from p2p.node.node import NodeLife
from p2p.relay.messages import HOP, STOP, Status, read_hop, read_stop, write_message
from tests.p2p.nodes import TestNode, eventually, identified, network
from tests.p2p.p2p_world import have
from tests.p2p.relay.relay_world import relayed, relayed_addresses

pytestmark = pytest.mark.network


async def hop_says(node: TestNode, relay: TestNode, asked: HopMessage) -> HopMessage:
    """What a relay answers to a node's message."""

    async def ask(life: NodeLife) -> HopMessage:
        stream = await life.host.direct_stream(ID(relay.peer), HOP)
        await write_message(stream, asked)
        return await read_hop(stream)

    answer: HopMessage = await node.inside(ask)
    return answer


async def test_a_stranger_cannot_bring_circuits_as_if_it_were_a_relay() -> None:
    async with relayed(1) as (relay, (anna,)), network(network=relay._config.network) as mallory:
        await mallory.connect(anna.multiaddrs()[0])

        async def bring(life: NodeLife) -> StopMessage:
            stream = await life.host.direct_stream(ID(anna.peer), STOP)
            await write_message(stream, StopMessage(type=StopMessage.CONNECT, peer=PeerId(id=relay.peer)))
            return await read_stop(stream)

        assert (await mallory.inside(bring)).status == Status.PERMISSION_DENIED


async def test_a_relay_reserves_for_who_asks_and_not_for_who_is_named() -> None:
    async with relayed(1) as (relay, (anna,)), network(network=relay._config.network) as mallory:
        await mallory.connect(relay.address)
        named = HopMessage(type=HopMessage.RESERVE, peer=PeerId(id=bytes(38)))
        answer = await hop_says(mallory, relay, named)
        assert answer.status == Status.OK
        assert [Multiaddr(addr) for addr in answer.reservation.addrs] == [Multiaddr(relay.address)]
        assert answer.limit.duration == 3_600
        held = await relay.inside(lambda life: set(life.relay.reservations._held))
        assert held == {anna.peer, mallory.peer}


async def test_a_relay_refuses_circuits_to_those_who_did_not_ask_and_messages_that_mean_nothing() -> None:
    async with relayed(1) as (relay, (anna,)), network(network=relay._config.network) as mallory:
        await mallory.connect(relay.address)
        to_itself = HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=mallory.peer))
        to_nobody = HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=b"x"))
        assert (await hop_says(mallory, relay, to_itself)).status == Status.NO_RESERVATION
        assert (await hop_says(mallory, relay, to_nobody)).status == Status.NO_RESERVATION
        status = HopMessage(type=HopMessage.STATUS, status=Status.OK)
        assert (await hop_says(mallory, relay, status)).status == Status.UNEXPECTED_MESSAGE
        assert relay.connected(anna.peer)


async def test_no_reservation_is_made_through_a_relay() -> None:
    async with relayed(1) as (one, (anna,)), network(network=one._config.network, relay_service=True) as two:
        await two.connect(relayed_addresses(anna)[0])

        async def ask(life: NodeLife) -> HopMessage:
            stream = await life.host.new_stream(ID(two.peer), [HOP])
            await write_message(stream, HopMessage(type=HopMessage.RESERVE))
            return await read_hop(stream)

        await anna.sink.until(lambda: anna.connected(two.peer))
        assert (await anna.inside(ask)).status == Status.PERMISSION_DENIED


async def test_a_relay_cannot_send_others_to_another_host(monkeypatch: pytest.MonkeyPatch) -> None:
    from p2p.relay.service import RelayService

    elsewhere = Multiaddr("/ip4/127.0.0.9/tcp/1").to_bytes()
    monkeypatch.setattr(RelayService, "_named", lambda _: [elsewhere])
    async with relayed(1) as (relay, (anna,)):
        assert [text.partition("/p2p/")[0] for text in relayed_addresses(anna)] == [relay.address.partition("/p2p/")[0]]


@pytest.mark.parametrize("setting", [{"relay_circuit_bytes": 20_000}, {"relay_circuit_ms": 500}])
async def test_a_circuit_ends_at_its_limit_and_its_ends_meet_again(setting: dict[str, Any]) -> None:
    async with relayed(2, **setting) as (relay, (anna, ben)):
        assert await ben.dial(anna.peer, [Multiaddr(relayed_addresses(anna)[0]).to_bytes()])
        left = len(ben.sink.changes)
        for number in range(500):
            ben.send(anna.peer, [have(number)])
        await ben.sink.until(lambda: any(not change.connected for change in ben.sink.changes[left:]))
        assert await ben.dial(anna.peer, [])
        assert await eventually(_no_circuits(relay, 1))


def _no_circuits(relay: TestNode, most: int) -> Callable[[], Awaitable[bool]]:
    async def few() -> bool:
        return bool(await relay.inside(lambda life: len(life.relay.circuits)) <= most)

    return few


async def test_what_is_carried_is_charged_to_who_sends_it() -> None:
    async with relayed(2) as (relay, (anna, ben)):
        await ben.connect(relayed_addresses(anna)[0])
        await identified(ben)
        before = await relay.inside(lambda life: life.relay.bridge.carried)
        await ben.ask(anna.peer, bytes(200_000), 60_000)
        carried = await relay.inside(lambda life: life.relay.bridge.carried) - before
        assert carried > 400_000  # the question and its answer
        used = await relay.inside(lambda life: life.relay.bridge._peers._budgets)
        assert set(used) == {anna.peer, ben.peer}


async def test_peers_through_one_relay_share_a_range_at_the_other_end() -> None:
    async with relayed(2) as (relay, (anna, ben)):
        await ben.connect(relayed_addresses(anna)[0])
        await anna.sink.until(lambda: anna.connected(ben.peer))
        assert anna.source_of(ben.peer) == relay.peer
        assert ben.source_of(anna.peer) == relay.peer
        assert anna.source_of(relay.peer) == relay.peer


async def test_a_silent_hop_stream_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from p2p.relay import messages

    async with relayed(1) as (relay, (anna,)):
        monkeypatch.setattr(messages, "MESSAGE_S", 0.1)

        async def wait(life: NodeLife) -> bytes:
            stream = await life.host.direct_stream(ID(relay.peer), HOP)
            with trio.fail_after(60):
                try:
                    return await stream.read(1)
                except Exception:  # the end of a stream has many words
                    return b""

        assert await anna.inside(wait) == b""
