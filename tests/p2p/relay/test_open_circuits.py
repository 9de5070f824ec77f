"""What a relay carries is bounded: per peer, per range, in all; and nobody who fills it shuts anybody out."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import trio
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, PeerId

from p2p.node.node import NodeLife
from p2p.ports import Standing
from p2p.relay.messages import HOP, Status, read_hop, write_message
from p2p.relay.open_circuits import PER_PEER, Circuit, OpenCircuits
from tests.p2p.nodes import TestNode, network
from tests.p2p.relay.relay_world import relayed

KNOWN = b"known"


def standing(peer: bytes) -> Standing:
    return Standing.KNOWN if peer.startswith(KNOWN) else Standing.STRANGER


class Relay(ExitStack):
    """Circuits that stay open until the end of the test."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.circuits = OpenCircuits(most, standing)

    def carry(self, asker: bytes, target: bytes, source: bytes | None = None) -> Circuit | None:
        return self.enter_context(self.circuits.place(asker, target, source or asker))

    def crowd(self, count: int, target: bytes, source: bytes) -> list[Circuit]:
        made = [self.carry(b"%b %d" % (source, number), target, source) for number in range(count)]
        return [circuit for circuit in made if circuit is not None]

    def ended(self, circuits: list[Circuit]) -> list[bool]:
        return [circuit not in self.circuits._open for circuit in circuits]


def test_circuits_are_counted_while_they_are_open() -> None:
    with Relay(2) as relay:
        assert relay.carry(b"one", b"two")
        with relay.circuits.place(b"one", b"three", b"one") as circuit:
            assert circuit is not None
            assert len(relay.circuits) == 2
        assert len(relay.circuits) == 1
    assert len(relay.circuits) == 0


def test_one_peer_and_one_range_get_a_part_only() -> None:
    with Relay(1_000) as relay:
        assert all(relay.carry(b"one", b"to %d" % number) for number in range(PER_PEER))
        assert relay.carry(b"one", b"to one more") is None
        assert len(relay.crowd(PER_PEER, b"far", b"4abc")) == PER_PEER
        assert relay.carry(b"another of it", b"away", b"4abc") is None


def test_the_range_that_asked_for_most_gives_way_in_a_full_relay() -> None:
    with Relay(8) as relay:
        many, few = relay.crowd(6, b"target", b"4abc"), relay.crowd(2, b"other", b"4def")
        assert relay.carry(b"new", b"target", b"4new")
        assert relay.ended(many) == [False] * 5 + [True]
        assert relay.ended(few) == [False, False]
        assert len(relay.circuits) == 8


def test_a_full_relay_refuses_whom_it_could_serve_only_at_the_cost_of_an_equal() -> None:
    with Relay(3) as relay:
        assert all(relay.carry(b"%d" % number, b"target") for number in range(3))
        assert relay.carry(b"new", b"target") is None
        assert relay.carry(KNOWN, b"target")
        assert len(relay.circuits) == 3


def test_strangers_cannot_fill_all_circuits_to_one_peer() -> None:
    with Relay(1_000) as relay:
        many = relay.crowd(PER_PEER - 4, b"target", b"4abc")
        relay.crowd(4, b"target", b"4def")
        assert relay.carry(b"new", b"target", b"4new")
        assert relay.ended(many) == [False] * (PER_PEER - 5) + [True]


def test_circuits_of_known_peers_do_not_give_way() -> None:
    with Relay(3) as relay:
        assert all(relay.carry(KNOWN, b"to %d" % number) for number in range(3))
        assert relay.carry(b"new", b"target") is None
        assert relay.carry(KNOWN + b" too", b"target") is None


def test_what_is_carried_ends_when_its_circuit_gives_way() -> None:
    async def carried() -> bool:
        with Relay(1) as relay:
            circuit = relay.carry(b"one", b"target")
            assert circuit is not None
            with circuit.scope:
                assert relay.carry(KNOWN, b"target")
                await trio.Event().wait()
            return circuit.scope.cancelled_caught

    assert trio.run(carried)


async def asked(node: TestNode, relay: TestNode, target: bytes) -> int:
    """The answer to the question for a circuit, which is left open."""

    async def ask(life: NodeLife) -> int:
        stream = await life.host.direct_stream(ID(relay.peer), HOP)
        await write_message(stream, HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=target)))
        return (await read_hop(stream)).status

    return int(await node.inside(ask))


@pytest.mark.network
async def test_a_newcomer_is_carried_by_a_relay_that_one_peer_has_filled() -> None:
    async with relayed(1, relay_circuits=4) as (relay, (anna,)), network(network=relay._config.network) as mallory:
        await mallory.connect(relay.address)
        answers = [await asked(mallory, relay, anna.peer) for _ in range(4)]
        assert answers == [Status.OK] * 4
        async with network(network=relay._config.network) as newcomer:
            await newcomer.connect(relay.address)
            assert await asked(newcomer, relay, anna.peer) == Status.OK
        assert await relay.inside(lambda life: len(life.relay.circuits)) <= 4
