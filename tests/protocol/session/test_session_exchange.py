"""`have`: what is missing is sent, over relays if need be, and finished nodes are silent."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from musig2.protocol.interface.effects import Outcome, Send
from musig2.protocol.interface.inputs import (
    Approved,
    Now,
    PeerConnected,
    PeerDisconnected,
    Received,
    ReceivedHave,
    StartRound1,
    StartRound2,
    Tick,
)
from musig2.protocol.records.records import PartialBody
from musig2.protocol.session.slots import from_bitmap, to_bitmap
from musig2.protocol.wire.frames import Answer, Complete, Frame, Have, Signed
from tests.protocol.sim.network import Weather
from tests.protocol.sim.node import Node
from tests.protocol.sim.world import World


def chain(world: World) -> None:
    """Cut everything but the links between neighbours."""
    links = {frozenset((one.peer, other.peer)) for one, other in pairwise(world.nodes)}
    for one in world.nodes:
        for other in world.nodes:
            if one is not other and frozenset((one.peer, other.peer)) not in links:
                world.network.cut(one.peer, other.peer)


def star(world: World) -> None:
    """Cut everything but the links to the first node."""
    hub, *spokes = world.nodes
    for one in spokes:
        for other in spokes:
            if one is not other:
                world.network.cut(one.peer, other.peer)
    assert hub


@pytest.mark.parametrize(("shape", "n", "within_ms"), [(star, 3, 500), (star, 20, 2_000), (chain, 4, 5_000)])
def test_signers_that_do_not_reach_each_other_meet_through_others(shape: Any, n: int, within_ms: int) -> None:
    world = World(n)
    world.start()
    shape(world)
    world.approve()
    world.run(within_ms)
    assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}


def test_in_a_mesh_a_signer_that_missed_a_partial_is_told_soon() -> None:
    world = World(4)
    world.start()
    world.approve(auto=False)
    world.run(100)
    deaf = world.nodes[3]
    world.network.cut(world.nodes[0].peer, deaf.peer)
    for node in world.nodes:
        node.feed(StartRound1(node.row.session, None))
    world.run(1_000)
    before = world.clock.mono_ms
    for node in world.nodes:
        node.feed(StartRound2(node.row.session, None))
    while deaf.machine.outcome is not Outcome.COMPLETE:
        world.run(1)
    assert world.clock.mono_ms - before <= 4 * 50


@pytest.mark.parametrize("phase_ms", [0, 1, 2, 3, 5])
def test_a_partition_that_heals_in_time_costs_no_attempt(phase_ms: int) -> None:
    world = World(3, weather=Weather(delay_ms=(2, 2)))
    world.start()
    world.approve()
    world.run(phase_ms)
    world.network.split({world.nodes[0].peer})
    world.run(8_000)
    world.network.heal_all()
    world.run(5_000)
    assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}
    assert {node.row.attempt for node in world.nodes} == {1}


@pytest.mark.parametrize("n", [5, 12])
def test_messages_that_overtake_each_other_are_waited_for_not_asked_for(n: int) -> None:
    world = World(n, weather=Weather(delay_ms=(1, 40)))
    world.start()
    world.approve()
    world.run(400)
    assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}
    assert world.network.sent["have"] <= 4 * n
    assert world.network.sent["nonce"] + world.network.sent["partial"] <= 2.5 * n * (n - 1)


def test_a_new_peer_gets_what_was_said_here_and_one_that_was_lost_is_asked() -> None:
    world = World(3)
    first, second, third = world.nodes
    world.start_apart()
    world.approve()

    def sent_to(peer: bytes) -> list[str]:
        effects = first.machine.handle(PeerConnected(peer), first.clock.now())
        frames = [effect.frame for effect in effects if isinstance(effect, Send)]
        return ["have" if isinstance(frame, Have) else "record" for frame in frames]

    assert sent_to(second.peer) == ["record"]
    first.feed(PeerDisconnected(second.peer))
    assert sent_to(second.peer) == ["have"]
    assert sent_to(third.peer) == ["record"]


def test_a_lossy_network_only_costs_time() -> None:
    for seed in range(5):
        world = World(4, seed=seed + 1, weather=Weather(loss=0.2, delay_ms=(1, 200))).sign()
        assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}


def test_a_reconnect_exchanges_what_is_missing_at_once() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    world.run(3_000)
    world.network.heal(first.peer, second.peer)
    world.run(100)
    assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}


def test_an_answer_is_exactly_what_is_missing_and_not_repeated_within_a_second() -> None:
    world = World(3)
    first, second, third = world.nodes
    world.start_apart()
    world.approve()
    first.hears(second.join())
    have = Have(world.request.id, 1, to_bitmap(0b001, 3), to_bitmap(0, 3), to_bitmap(0, 3))
    sent = _sends(first, have, third.peer)
    assert [send.frame for send in sent] == [second.join()]
    assert not _sends(first, have, third.peer)
    world.run(1_000)
    assert [send.frame for send in _sends(first, have, third.peer)] == [second.join()]


def _sends(node: Node, have: Have, peer: bytes) -> list[Send]:
    effects = node.machine.handle(ReceivedHave(have, peer), node.clock.now())
    return [e for e in effects if isinstance(e, Send) and not isinstance(e.frame, Have)]


def test_a_have_that_shows_more_is_answered_by_an_own_one_once() -> None:
    world = World(3)
    first, _, third = world.nodes
    world.start_apart()
    world.approve()
    have = Have(world.request.id, 1, to_bitmap(0b110, 3), to_bitmap(0, 3), to_bitmap(0, 3))
    haves = [
        effect.frame
        for _ in range(3)
        for effect in first.machine.handle(ReceivedHave(have, third.peer), first.clock.now())
        if isinstance(effect, Send) and isinstance(effect.frame, Have)
    ]
    assert [from_bitmap(one.joins, 3) for one in haves] == [0b001]


def test_a_have_about_an_unknown_attempt_is_to_be_repeated() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    nothing = to_bitmap(0, 2)
    sends = _sends(first, Have(world.request.id, 1, nothing, nothing, nothing), second.peer)
    assert [send.frame for send in sends] == [Answer(world.request.id, "not_yet")]


@pytest.mark.parametrize("bitmap", [b"", b"\xff" * 13, b"\x00" * 13])
def test_bitmaps_of_any_length_are_taken_as_they_are(bitmap: bytes) -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    for attempt in (1, 2, 5, 6, 16):
        _sends(first, Have(world.request.id, attempt, bitmap, bitmap, bitmap), second.peer)
    assert first.machine.session_views()[0].attempt == 1


def test_the_periodic_have_slows_down_to_fifteen_seconds() -> None:
    world = World(2)
    first = world.nodes[0]
    asked: list[int] = []
    world.network.taps.append(lambda *args: asked.append(world.clock.mono_ms) if isinstance(args[2], Have) else None)
    world.start()
    first.feed(Approved(first.key, auto=True))
    world.run(100_000)
    assert asked == [1_000, 2_000, 4_000, 8_000, 16_000, 31_000, 46_000, 61_000, 76_000, 91_000]


def test_finished_nodes_are_silent() -> None:
    world = World(3).sign()
    before = sum(world.network.sent.values())
    world.run(600_000)
    assert sum(world.network.sent.values()) == before


def test_whoever_still_talks_to_a_finished_node_gets_the_signature_once_a_second() -> None:
    world = World(2).sign()
    first, second = world.nodes
    first.machine._conclusion._finished.clear()
    frames = []
    for _ in range(5):
        effects = first.machine.handle(Received(second.join(), second.peer), Now(0, 10_000_000))
        frames += [effect.frame for effect in effects if isinstance(effect, Send)]
    assert frames == [Complete(world.request.id, first.machine.signatures)]


def test_who_missed_the_end_gets_it_when_it_comes_back() -> None:
    world = World(3)
    world.start()
    world.approve()
    late = world.nodes[2]
    while not late.said(2):
        world.run(1)
    late.crash()
    world.run(5_000)
    assert {node.machine.outcome for node in world.nodes[:2]} == {Outcome.COMPLETE}
    late.restart()
    world.run(2_000)
    assert late.machine.outcome is Outcome.COMPLETE


def test_whom_the_first_leaves_out_gets_the_signature_of_another_when_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(4)
    first, last = world.nodes[0], world.nodes[3]
    carry = world.network._carry

    def carried(source: bytes, target: bytes, frame: Frame) -> None:
        partial = isinstance(frame, Signed) and isinstance(getattr(frame.record, "body", None), PartialBody)
        if target != last.peer or not (partial or (source == first.peer and isinstance(frame, Complete))):
            carry(source, target, frame)

    monkeypatch.setattr(world.network, "_carry", carried)
    world.start()
    world.approve()
    world.run(900)
    assert [node.machine.outcome for node in world.nodes] == [Outcome.COMPLETE] * 3 + [Outcome.SIGNING]
    world.run(1_000)
    assert last.machine.outcome is Outcome.COMPLETE


def test_clients_hear_of_a_participant_that_is_gone() -> None:
    world = World(2)
    first, second = world.nodes
    world.start()
    world.approve(auto=False)
    world.run(100)
    first.feed(PeerDisconnected(second.peer), PeerDisconnected(bytes(38)))
    assert [emit.data for emit in first.told("session:participant-disconnected")] == [{"peerId": second.peer}]


def test_a_tick_without_anything_due_does_nothing() -> None:
    world = World(2)
    world.start()
    for node in world.nodes:
        assert node.machine.handle(Tick(), node.clock.now()) == []
        assert node.machine.handle(PeerConnected(bytes(38)), node.clock.now()) == []


def test_fifty_signers_sign_on_a_network_in_memory() -> None:
    world = World(50)
    world.start()
    world.approve()
    world.run(500)
    assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}
    assert world.network.sent["have"] == 0
    assert world.network.sent["join"] + world.network.sent["nonce"] <= 2 * 50 * 50
    assert world.network.sent["partial"] + world.network.sent["complete"] <= 2 * 50


def test_without_hubs_each_tells_each_everything_once() -> None:
    world = World(8)
    world.start()
    world.approve()
    world.run(500)
    assert dict(world.network.sent) == dict.fromkeys(("join", "nonce", "partial"), 8 * 7) | {"complete": 7}


@pytest.mark.slow
@pytest.mark.parametrize("scheme_name", ["lotus", "bip340"])
def test_a_hundred_signers_sign_on_a_network_in_memory(scheme_name: str) -> None:
    world = World(100, scheme_name=scheme_name)
    world.start()
    world.approve()
    world.run(500)
    assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}
