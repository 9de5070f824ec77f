"""A signer says that its owner was asked: all hear it, once, and nothing else changes."""

from __future__ import annotations

from musig2 import scheme
from musig2.protocol.interface.effects import Outcome, Send
from musig2.protocol.interface.inputs import Approved, Received
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Considering
from musig2.protocol.wire.frames import Signed
from tests.protocol.sim.node import Node
from tests.protocol.sim.world import World


def considering(node: Node, ts: int = 7, **changes: bytes) -> Signed[Considering]:
    name = node.request.record.scheme
    record = Considering(name, changes.get("request", node.request.id), node.key, ts)
    return seal(record, lambda digest: scheme(name).schnorr_sign(node.secrets[node.key], digest))


def considers(node: Node) -> None:
    node.feed(Received(considering(node), None))


def heard(node: Node) -> list[tuple[bytes, int]]:
    told = node.told("signing-request:considering")
    return [(emit.data["publicKey"], emit.data["consideringSince"]) for emit in told]


def test_all_hear_once_whose_owner_was_asked_also_those_whom_only_the_creator_reaches() -> None:
    world = World(4)
    world.start()
    asked = world.nodes[3]
    for node in world.nodes[1:3]:
        world.network.cut(asked.peer, node.peer)
    considers(asked)
    considers(asked)
    world.run(1_000)
    assert [heard(node) for node in world.nodes] == [[(asked.key, 7)]] * 4
    assert all(node.machine.outcome is Outcome.OPEN for node in world.nodes)


def test_it_starts_no_clock_and_is_over_with_the_join() -> None:
    world = World(2)
    world.start()
    creator, asked = world.nodes
    creator.feed(Approved(creator.key, auto=True))
    considers(asked)
    world.run(60_000)
    assert creator.row.all_joined_wall_ms is None
    assert len(creator.machine.introduction()) == 2
    asked.feed(Approved(asked.key, auto=True))
    world.run(60_000)
    assert all(node.machine.outcome is Outcome.COMPLETE for node in world.nodes)
    assert len(creator.machine.introduction()) == 1


def test_both_sides_know_it_after_a_restart_and_who_connects_later_is_told() -> None:
    world = World(2)
    world.start()
    creator, asked = world.nodes
    creator.feed(Approved(creator.key, auto=True))
    world.network.cut(creator.peer, asked.peer)
    considers(asked)
    world.run(1_000)
    assert heard(creator) == []
    asked.crash()
    asked.restart()
    world.network.heal_all()
    world.network.call(asked.peer)
    world.run(1_000)
    assert heard(creator) == [(asked.key, 7)]
    creator.crash()
    creator.restart()
    world.network.call(creator.peer)
    world.run(1_000)
    assert heard(creator) == [(asked.key, 7)]


def test_only_a_required_signer_of_this_request_that_has_not_joined_counts_and_only_its_first_word() -> None:
    world = World(3)
    world.start_apart()
    creator, other, third = world.nodes
    stranger = World(2, seed=5).nodes[1]
    creator.hears(considering(stranger, request=world.request.id))
    creator.hears(considering(other, request=bytes(32)))
    creator.hears(considering(creator))
    assert heard(creator) == []
    for ts in range(20):
        creator.hears(considering(other, ts))
    assert heard(creator) == [(other.key, 0)]
    assert len(creator.store.records) == 1
    third.feed(Approved(third.key, auto=True))
    creator.hears(third.join(), considering(third))
    assert heard(creator) == [(other.key, 0)]


def test_a_signer_whose_peer_only_its_join_names_is_told_then() -> None:
    world = World(2)
    world.start()
    creator, asked = world.nodes
    considers(asked)
    creator.feed(Approved(creator.key, auto=True))
    (join,) = [each for each in creator.machine.joins if each is not None]

    def told() -> list[bytes | None]:
        effects = asked.machine.handle(Received(join, creator.peer), asked.clock.now(0))
        sent = [(effect.peer, effect.frame) for effect in effects if isinstance(effect, Send)]
        return [peer for peer, frame in sent if isinstance(frame, Signed) and isinstance(frame.record, Considering)]

    assert told() == [creator.peer]
    assert told() == []
