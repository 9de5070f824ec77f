"""From joins to a signature: automatic and manual rounds, with early, repeated and foreign messages."""

from __future__ import annotations

import pytest

from musig2 import scheme
from musig2.protocol.interface.effects import Outcome, State
from musig2.protocol.interface.inputs import Approved, StartRound1, StartRound2
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Message, NonceBody, PartialBody
from musig2.protocol.wire.frames import Frame, Signed
from tests.protocol.sim.network import Weather
from tests.protocol.sim.node import Node
from tests.protocol.sim.world import World


def names(node: Node) -> list[str]:
    return [emit.event for emit in node.events]


def states(world: World) -> list[State]:
    return [view.state for node in world.nodes for view in node.machine.session_views()]


@pytest.mark.parametrize("scheme_name", ["lotus", "bip340"])
@pytest.mark.parametrize(("n", "items"), [(2, 1), (3, 2), (5, 1), (2, 20)])
def test_all_signers_end_with_the_same_valid_signatures(scheme_name: str, n: int, items: int) -> None:
    world = World(n, scheme_name=scheme_name, items=items).sign()
    record = world.request.record
    signatures = {node.machine.signatures for node in world.nodes}
    assert len(signatures) == 1
    for item, signature in zip(record.items, signatures.pop(), strict=True):
        assert scheme(scheme_name).schnorr_verify(item.agg, item.msg, signature)


def test_on_a_good_network_each_message_is_sent_once_to_each_and_nobody_asks() -> None:
    world = World(4).sign()
    assert dict(world.network.sent) == {"join": 12, "nonce": 12, "partial": 12, "complete": 3}


def test_the_last_joiner_sends_join_and_nonce_together_and_gets_nonce_and_partial() -> None:
    world = World(2, weather=Weather(delay_ms=(10, 10)))
    seen: list[tuple[int, str]] = []
    world.network.taps.append(lambda source, _, frame: seen.append((world.clock.mono_ms, _name(frame, source, world))))
    world.start()
    world.nodes[0].feed(Approved(world.keys[0], auto=True))
    world.run(100)
    world.nodes[1].feed(Approved(world.keys[1], auto=True))
    world.run(100)
    begin = seen[1][0]
    assert seen[1:3] == [(begin, "1 join"), (begin, "1 nonce")]
    assert seen[3:5] == [(begin + 10, "0 nonce"), (begin + 10, "0 partial")]
    assert seen[5:7] == [(begin + 20, "1 partial"), (begin + 20, "1 complete")]


def _name(frame: Frame, source: bytes, world: World) -> str:
    node = next(number for number, node in enumerate(world.nodes) if node.peer == source)
    if not isinstance(frame, Signed):
        return f"{node} {type(frame).__name__.lower()}"
    seq = getattr(frame.record, "seq", 0)
    return f"{node} {('join', 'nonce', 'partial')[seq]}"


def test_events_come_in_the_documented_order() -> None:
    world = World(2).sign()
    assert names(world.nodes[0]) == [
        "session:created",
        "signing-request:joined",
        "session:joined",
        "session:announced",
        "participant:joined",
        "session:ready",
        "round1:complete",
        "session:nonces-complete",
        "round2:complete",
        "signature:finalized",
        "session:complete",
    ]


def test_without_auto_advance_each_round_waits_for_its_owner() -> None:
    world = World(2)
    world.start()
    world.approve(auto=False)
    world.run(1_000)
    assert states(world) == [State.READY, State.READY]
    session = world.nodes[0].machine.session_views()[0].session
    for node in world.nodes:
        node.feed(StartRound1(session, None))
    world.run(1_000)
    assert states(world) == [State.ROUND1, State.ROUND1]
    assert "round1:complete" in names(world.nodes[0])
    for node in world.nodes:
        node.feed(StartRound2(session, None))
    world.run(1_000)
    assert states(world) == [State.COMPLETE, State.COMPLETE]


def test_rounds_called_too_early_are_remembered() -> None:
    world = World(2)
    world.start()
    world.nodes[0].feed(Approved(world.keys[0], auto=False))
    session = world.nodes[0].machine.session_views()[0].session
    world.nodes[0].feed(StartRound2(session, None), StartRound1(session, None))
    world.nodes[1].feed(Approved(world.keys[1], auto=True))
    world.run(1_000)
    assert states(world) == [State.COMPLETE, State.COMPLETE]


def test_a_repeated_start_sends_the_stored_bytes_again() -> None:
    world = World(2)
    sent: list[Signed[Message]] = []
    world.network.taps.append(lambda *args: sent.append(args[2]) if _is_message(args[2]) else None)
    world.start()
    world.approve(auto=False)
    world.run(100)
    first = world.nodes[0]
    session = first.machine.session_views()[0].session
    for _ in range(3):
        first.feed(StartRound1(session, None))
    assert [message.record.seq for message in sent] == [1, 1, 1]
    assert len({message.envelope for message in sent}) == 1
    world.nodes[1].feed(StartRound1(session, None))
    world.run(100)
    sent.clear()
    for _ in range(3):
        first.feed(StartRound2(session, None))
    assert [message.record.seq for message in sent] == [2, 2, 2]
    assert len({message.envelope for message in sent}) == 1
    assert len(first.store.locks) == 1


def _is_message(frame: Frame) -> bool:
    return isinstance(frame, Signed) and isinstance(frame.record, Message)


def test_a_partial_that_overtakes_its_nonce_is_judged_when_the_nonce_is_here() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    second.hears(first.join())
    first.hears(second.join())
    second.hears(*first.said(1))
    first.hears(*second.said(2))
    assert first.row.state is State.ROUND1
    first.hears(*second.said(1))
    assert first.machine.outcome is Outcome.COMPLETE


def test_the_same_message_a_hundred_times_changes_nothing() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    first.hears(second.join())
    rows, messages = dict(first.store.rows), dict(first.store.messages)
    first.hears(*[second.join()] * 100, first.join(), *first.said(1))
    assert (first.store.rows, first.store.messages) == (rows, messages)


def test_several_keys_of_one_daemon_sign_together_and_share_their_events() -> None:
    world = World(3, grouping=[2, 1]).sign()
    both = world.nodes[0]
    assert [node.machine.outcome for node in world.nodes] == [Outcome.COMPLETE, Outcome.COMPLETE]
    final = [emit for emit in both.events if emit.event == "signature:finalized"]
    assert [set(emit.keys) for emit in final] == [set(both.own)]
    ready = [emit for emit in both.events if emit.event == "session:ready"]
    assert [set(emit.keys) for emit in ready] == [set(both.own)]


def test_one_daemon_with_all_keys_needs_no_network() -> None:
    world = World(3, grouping=[3])
    world.start()
    world.approve()
    assert world.nodes[0].machine.outcome is Outcome.COMPLETE
    assert not world.network.sent


def test_messages_that_come_before_their_join_are_kept_for_it() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    second.hears(first.join())
    first.hears(*second.said(1))
    assert not any(save.seq == 1 and not save.own for save in first.store.messages.values())
    first.hears(second.join())
    assert first.row.state is State.ROUND2


def test_messages_without_their_join_are_kept_only_so_many() -> None:
    world = World(2)
    first, _ = world.nodes
    world.start_apart()
    world.approve()
    session = first.row.session
    stranger = PeerIdentity(bytes([9]) * 32)
    for number in range(100):
        flood = Message(session, number.to_bytes(32, "big"), NonceBody(bytes(32), (b"\x02" + bytes(65),)))
        first.hears(seal(flood, stranger.sign, peer=stranger.peer))
    assert len(first.machine._contributions._early._by_join) <= 8
    assert first.row.state is State.JOINING


def test_a_message_signed_by_another_peer_is_ignored_and_blames_nobody() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    first.hears(second.join())
    stranger = PeerIdentity(bytes([9]) * 32)
    forged = Message(first.row.session, second.join().id, NonceBody(bytes(32), (b"\x02" + bytes(65),)))
    first.hears(seal(forged, stranger.sign, peer=stranger.peer))
    view = first.machine.session_views()[0]
    assert view.state is State.ROUND1
    assert view.nonces == (True, False)
    assert not first.blames


def test_messages_of_another_session_change_nothing() -> None:
    world, other = World(2), World(2, items=2)
    world.start_apart()
    world.approve()
    other.sign()
    first = world.nodes[0]
    before = dict(first.store.rows), dict(first.store.messages), dict(first.store.joins)
    first.hears(other.nodes[1].join(), *other.nodes[1].said(1), *other.nodes[1].said(2))
    assert (first.store.rows, first.store.messages, first.store.joins) == before


def test_a_session_says_who_has_contributed_what() -> None:
    world = World(3)
    world.start()
    for node in world.nodes[:2]:
        node.feed(Approved(next(iter(node.own)), auto=True))
    world.run(100)
    view = world.nodes[0].machine.session_views()[0]
    assert view.joined == (True, True, False)
    assert view.nonces == view.partials == (False, False, False)
    assert view.deadline_wall_ms == world.request.record.expires


def test_partials_are_locked_stored_and_sent_in_one_batch() -> None:
    world = World(2, items=3).sign()
    for node in world.nodes:
        key = next(iter(node.own))
        session = node.machine.session_views()[0].session
        assert set(node.store.locks) == {(session, key, item) for item in range(3)}
        (partial,) = node.said(2)
        assert isinstance(partial.record.body, PartialBody)
        assert set(node.store.locks.values()) == {partial.record.body.nonceset}


def test_two_requests_of_the_same_keys_for_the_same_message_are_independent() -> None:
    world, twin = World(2), World(2, salt=bytes([1]) * 16)
    assert world.request.record.items == twin.request.record.items
    assert world.request.id != twin.request.id
    twin.sign()
    world.start_apart()
    world.approve()
    first, other = world.nodes[0], twin.nodes[1]
    before = dict(first.store.joins), dict(first.store.messages)
    first.hears(other.join(), *other.said(1), *other.said(2))
    assert (first.store.joins, first.store.messages) == before
    world.network.heal_all()
    world.run()
    assert first.machine.outcome is Outcome.COMPLETE
    assert {m.id for m in first.said(1)}.isdisjoint(m.id for m in twin.nodes[0].said(1))


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True)])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_second_join_turns_auto_advance_off_or_on(first: bool, second: bool, after: int) -> None:
    """`after`: joins, nonces of the others that are here when it comes."""
    world = World(2)
    world.start()
    one, two = world.nodes
    one.feed(Approved(one.key, first))
    session = one.machine.session_views()[0].session
    if after:
        two.feed(Approved(two.key, False))
        world.run(100)
    if after == 2:
        one.feed(StartRound1(session, None))
        world.run(100)
    one.feed(Approved(one.key, second))
    two.feed(Approved(two.key, True))
    world.run(1_000)
    at = one.machine.session_views()[0].row
    assert at.auto is second
    held = {0: State.READY, 1: State.ROUND1, 2: State.ROUND1}[after]
    assert at.state is (State.COMPLETE if second else held)
    if not second:
        one.feed(StartRound1(session, None), StartRound2(session, None))
        world.run(1_000)
    assert states(world) == [State.COMPLETE, State.COMPLETE]


def test_a_join_without_auto_advance_leaves_it_as_it_is() -> None:
    world = World(2)
    world.start()
    one, two = world.nodes
    one.feed(Approved(one.key, auto=False), Approved(one.key, auto=None))
    two.feed(Approved(two.key, auto=None))
    world.run(1_000)
    assert [node.machine.session_views()[0].row.auto for node in world.nodes] == [False, True]
    assert one.machine.session_views()[0].state is State.READY


def test_auto_advance_cannot_be_turned_off_after_the_partial_signature() -> None:
    world = World(3)
    world.start()
    one, two, three = world.nodes
    for node in (one, two):
        node.feed(Approved(node.key, auto=True))
    three.feed(Approved(three.key, auto=False))
    three.feed(StartRound1(three.machine.session_views()[0].session, None))
    world.run(1_000)
    assert one.machine.session_views()[0].state is State.ROUND2
    one.feed(Approved(one.key, auto=False))
    assert one.machine.session_views()[0].row.auto is True
