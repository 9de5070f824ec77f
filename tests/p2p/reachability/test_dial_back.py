"""Peers dial a node back that asks for it, and nobody else; what they find decides whether it looks for relays."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
import trio
from libp2p.host.autonat.pb.autonat_pb2 import Message
from libp2p.peer.id import ID

from p2p.addresses import from_text
from p2p.dialback.messages import AUTONAT, Verdict, dial_me, read_message, write_message
from p2p.dialback.server import ALL_AT_ONCE, RANGE_AT_ONCE, DialBack
from p2p.network import Reach
from p2p.node.node import NodeLife
from p2p.ports import Standing
from tests.p2p.nodes import TestNode, eventually, network, networks
from tests.p2p.relay.relay_world import reachable_through

pytestmark = pytest.mark.network
TIMES_ASKED = 5


async def answer_to(node: TestNode, server: TestNode, asked: Message) -> Message:
    async def ask(life: NodeLife) -> Message:
        stream = await life.host.direct_stream(ID(server.peer), AUTONAT)
        await write_message(stream, asked)
        return await read_message(stream, 60)

    answer: Message = await node.inside(ask)
    return answer


async def verdict_of(node: TestNode, wanted: Reach, asked: int = 1) -> None:
    async def settled() -> bool:
        return node.reachability.verdict is wanted and node.reachability.asked >= asked

    await eventually(settled)


async def test_a_node_that_others_can_dial_is_public() -> None:
    name = f"t-{secrets.token_hex(6)}"
    async with networks(2, network=name) as (one, two), network(network=name, dial_back=True) as node:
        await node.connect(one.address)
        await node.connect(two.address)
        await verdict_of(node, Reach.PUBLIC, asked=2)
        assert node.reachability.reached == node.reachability.asked == 2
        assert not node.reachability.lacking


async def test_a_node_that_nobody_can_dial_is_private_and_looks_for_relays(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: Any) -> bool:
        return False

    monkeypatch.setattr(DialBack, "_reached", silent)
    name = f"t-{secrets.token_hex(6)}"
    async with network(network=name, relay_service=True) as relay, network(network=name, dial_back=True) as node:
        await node.connect(relay.address)
        await verdict_of(node, Reach.PRIVATE)
        assert len(await reachable_through(node)) == 1

        async def told() -> bool:
            return node.reachability.relays == (relay.peer,)

        assert await eventually(told)


async def test_relays_are_not_used_where_they_are_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: Any) -> bool:
        return False

    monkeypatch.setattr(DialBack, "_reached", silent)
    name = f"t-{secrets.token_hex(6)}"
    async with (
        network(network=name, relay_service=True) as relay,
        network(network=name, dial_back=True, relay_client="never") as node,
    ):
        await node.connect(relay.address)
        await verdict_of(node, Reach.PRIVATE)
        assert not await node.inside(lambda life: life.relays.lacking)


async def test_a_node_that_listens_on_loopback_only_asks_nobody() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        assert not anna.reachability.tested
        assert anna.reachability.verdict is Reach.UNKNOWN


async def test_only_the_host_that_asks_is_dialled_and_only_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[str] = []

    async def noted(_: DialBack, addr: Any, peer: ID) -> bool:
        dialled.append(str(addr))
        return True

    monkeypatch.setattr(DialBack, "_reached", noted)
    async with networks(2) as (server, mallory):
        await mallory.meet(server)
        elsewhere = [
            "/ip4/127.0.0.9/tcp/4327",
            "/ip4/127.0.0.1/tcp/22",
            "/dns4/localhost/tcp/4327",
            f"/ip4/127.0.0.1/tcp/4327/p2p/{server.peer_text}/p2p-circuit",
        ]
        answer = await answer_to(mallory, server, dial_me(mallory.peer, map(from_text, elsewhere)))
        assert answer.dialResponse.status == Verdict.E_DIAL_REFUSED
        for_another = dial_me(server.peer, [from_text("/ip4/127.0.0.1/tcp/4327")])
        assert (await answer_to(mallory, server, for_another)).dialResponse.status == Verdict.E_BAD_REQUEST
        assert dialled == []


async def test_a_host_is_dialled_back_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def noted(*_: Any) -> bool:
        return True

    monkeypatch.setattr(DialBack, "_reached", noted)
    async with networks(2) as (server, mallory):
        await mallory.meet(server)
        asked = dial_me(mallory.peer, [from_text("/ip4/127.0.0.1/tcp/4327")])
        said = [(await answer_to(mallory, server, asked)).dialResponse.status for _ in range(TIMES_ASKED)]
        assert said == [Verdict.OK] * (TIMES_ASKED - 1) + [Verdict.E_DIAL_REFUSED]


async def test_strangers_take_the_dials_of_strangers_only_and_a_range_not_all_of_them() -> None:
    async def ask(life: NodeLife) -> tuple[int, bool, int, bool]:
        now, has_turn = trio.current_time(), life.dial_back._has_turn
        life.dial_back._accounts.stand(b"known", Standing.KNOWN)
        of_one_range = sum(has_turn(b"%d" % last, f"45.1.1.{last}", now) for last in range(100))
        elsewhere = has_turn(b"elsewhere", "45.2.1.1", now)
        of_many = sum(has_turn(b"%d" % number, f"45.{number}.1.1", now) for number in range(3, 100))
        return of_one_range, elsewhere, of_many, has_turn(b"known", "45.200.1.1", now)

    async with network() as server:
        of_one_range, elsewhere, of_many, known = await server.inside(ask)
    assert (of_one_range, elsewhere, known) == (RANGE_AT_ONCE, 1, 1)
    assert of_one_range + elsewhere + of_many == ALL_AT_ONCE


async def test_whoever_answers_must_be_the_peer_that_asked() -> None:
    async with networks(3) as (server, mallory, victim):
        await mallory.meet(server)
        asked = dial_me(mallory.peer, [from_text(victim.address)])
        assert (await answer_to(mallory, server, asked)).dialResponse.status == Verdict.E_DIAL_ERROR
        asked = dial_me(mallory.peer, [from_text(mallory.address)])
        assert (await answer_to(mallory, server, asked)).dialResponse.status == Verdict.OK
        assert mallory.peers()[0].peer == server.peer
        assert (await server.stats()).connections == 1


async def test_one_liar_among_three_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"t-{secrets.token_hex(6)}"
    async with networks(3, network=name) as (one, two, liar), network(network=name, dial_back=True) as node:

        async def lie(server: DialBack, *_: Any) -> bool:
            return server._host.get_id().to_bytes() != liar.peer

        monkeypatch.setattr(DialBack, "_reached", lie)
        for peer in (liar, one, two):
            await node.connect(peer.address)
        await verdict_of(node, Reach.PUBLIC, asked=3)
        assert node.reachability.reached == 2
