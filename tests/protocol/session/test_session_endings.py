"""How requests end: declined, cancelled, aborted, expired, or with a signature from anywhere, however late."""

from __future__ import annotations

import pytest

from musig2 import scheme
from musig2.protocol.interface.effects import Outcome, State
from musig2.protocol.interface.inputs import Approved, OwnerAbort, Received, ReceivedComplete, StartRound1
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Cancel, Decline, Join
from musig2.protocol.wire.frames import Signed
from tests.protocol.sim.liars import LateFinisher
from tests.protocol.sim.node import Node
from tests.protocol.sim.world import ROUND_MS, TTL_MS, World


def decline(node: Node, name: str | None = None) -> Signed[Decline]:
    record = Decline(name or node.request.record.scheme, node.request.id, node.key, "not today", 1)
    return seal(record, lambda digest: scheme(record.scheme).schnorr_sign(node.secrets[node.key], digest))


def cancel(node: Node, name: str | None = None) -> Signed[Cancel]:
    record = Cancel(name or node.request.record.scheme, node.request.id, node.key, "changed my mind", 1)
    return seal(record, lambda digest: scheme(record.scheme).schnorr_sign(node.secrets[node.key], digest))


def test_a_decline_ends_the_request_for_all() -> None:
    world = World(3)
    world.start()
    for node in world.nodes[:2]:
        node.feed(Approved(node.key, auto=True))
    world.run(100)
    refuser = world.nodes[2]
    refuser.feed(Received(decline(refuser), None))
    world.run(100)
    for node in world.nodes:
        assert node.machine.outcome is Outcome.DECLINED
        assert node.told("signing-request:declined")[0].data == {"publicKey": refuser.key, "reason": "not today"}
    assert world.nodes[0].row.reason == "declined"
    assert world.nodes[0].row.by == refuser.key


def test_a_key_that_signs_the_other_scheme_can_decline_and_never_cancel() -> None:
    world = World(2, scheme_name="lotus")
    creator, other = world.nodes
    world.start()
    creator.hears(cancel(creator, "bip340"))
    assert creator.machine.outcome is Outcome.OPEN
    creator.hears(decline(other, "bip340"))
    assert creator.machine.outcome is Outcome.DECLINED


def test_only_the_creator_cancels() -> None:
    world = World(2)
    creator, other = world.nodes
    assert world.request.record.creator == creator.key
    world.start()
    world.approve(auto=False)
    creator.hears(cancel(other))
    assert creator.machine.outcome is Outcome.OPEN
    creator.feed(Received(cancel(creator), None))
    world.run(100)
    assert {node.machine.outcome for node in world.nodes} == {Outcome.CANCELLED}
    assert other.row.reason == "cancelled"


def test_a_signer_that_missed_a_decline_gets_it_when_it_sends_anything() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    second.feed(Received(decline(second), None))
    first.feed(Approved(first.key, auto=True))
    world.network.heal_all()
    world.run(2_000)
    assert first.machine.outcome is Outcome.DECLINED


def test_an_owner_ends_the_request_for_all() -> None:
    world = World(2)
    first, second = world.nodes
    world.start()
    world.approve(auto=False)
    world.run(100)
    first.feed(OwnerAbort(first.key, "aborted_by_owner", "no"))
    world.run(100)
    assert (first.row.reason, first.row.scope) == ("aborted_by_owner", "request")
    assert (second.row.reason, second.row.by) == ("aborted_by_signer", first.key)
    assert {node.machine.outcome for node in world.nodes} == {Outcome.FAILED}


def test_a_lock_ends_the_attempt_but_not_the_request() -> None:
    world = World(2)
    first, second = world.nodes
    world.start()
    world.approve(auto=False)
    world.run(100)
    first.feed(OwnerAbort(None, "locked"))
    world.run(100)
    assert (first.row.reason, first.row.scope) == ("locked", "attempt")
    assert second.row.reason == "aborted_by_signer"
    assert {node.machine.outcome for node in world.nodes} == {Outcome.OPEN}
    first.feed(Approved(first.key, auto=True))
    second.machine._attempts.approved[second.key] = True
    world.run(1_000)
    assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}


def test_a_request_that_not_all_join_expires_and_says_who_was_missing() -> None:
    world = World(3)
    world.start()
    for node in world.nodes[:2]:
        node.feed(Approved(node.key, auto=True))
    world.run(TTL_MS + 1_000)
    for node in world.nodes:
        assert node.machine.outcome is Outcome.EXPIRED
        assert len(node.told("signing-request:expired")) == 1
    assert (world.nodes[0].row.reason, world.nodes[0].row.missing) == ("timeout_joining", (world.nodes[2].key,))


def test_a_session_whose_owner_does_not_start_times_out() -> None:
    world = World(2)
    world.start()
    world.approve(auto=False)
    world.run(ROUND_MS + 1_000)
    assert "timeout_ready" in {node.row.reason for node in world.nodes}
    assert {node.row.state for node in world.nodes} == {State.ABORTED}


def test_round_1_does_not_begin_after_expiry() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    for node in world.nodes:
        node.feed(Approved(node.key, auto=False))
    world.run(TTL_MS - 5_000)
    first.hears(second.join())
    assert first.row.state is State.READY
    world.clock.mono_ms += 5_000
    first.feed(StartRound1(first.row.session, None))
    assert first.row.reason == "expired"
    assert not first.said(1)


def test_a_round_under_way_may_end_after_expiry() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    world.run(TTL_MS - 1_000)
    second.hears(first.join())
    first.hears(second.join())
    world.run(2_000)
    first.hears(*second.said(1))
    second.hears(*first.said(1), *first.said(2))
    assert second.machine.outcome is Outcome.COMPLETE


def test_a_withheld_partial_that_completes_later_is_taken_and_was_announced() -> None:
    world = World(3, odd={2: LateFinisher})
    world.start()
    world.approve()
    world.run(TTL_MS + ROUND_MS)
    honest, late = world.nodes[:2], world.nodes[2]
    assert isinstance(late, LateFinisher)
    for node in honest:
        assert node.machine.outcome is Outcome.EXPIRED
        assert node.row.state is State.ABORTED
        assert node.row.partial_released
        assert node.machine.partial_released
    late.finish()
    world.run(100)
    for node in honest:
        assert node.machine.outcome is Outcome.COMPLETE
        assert node.row.state is State.COMPLETE
        assert node.told("signature:finalized")


@pytest.mark.parametrize("approved", [True, False])
def test_a_signature_from_anybody_ends_the_request_also_where_nobody_joined(approved: bool) -> None:
    signed, world = World(2).sign(), World(2)
    node = world.nodes[0]
    world.start()
    if approved:
        node.feed(Approved(node.key, auto=True))
    node.feed(ReceivedComplete(signed.nodes[0].machine.signatures, world.nodes[1].peer))
    assert node.machine.outcome is Outcome.COMPLETE
    assert [emit.data["signatures"] for emit in node.told("signature:finalized")] == [node.machine.signatures]


@pytest.mark.parametrize("signatures", [(), (bytes(64),), (b"\xff" * 64,), (b"short",), (bytes(64), bytes(64))])
def test_a_wrong_signature_changes_nothing(signatures: tuple[bytes, ...]) -> None:
    world = World(2)
    node = world.nodes[0]
    world.start_apart()
    world.approve()
    node.feed(ReceivedComplete(signatures, world.nodes[1].peer))
    assert node.machine.outcome is Outcome.OPEN
    assert node.row.state is State.JOINING


def test_an_outsider_cannot_join_abort_or_speak() -> None:
    world, other = World(2), World(2, seed=2)
    node = world.nodes[0]
    world.start_apart()
    world.approve()
    before = dict(node.store.joins), dict(node.store.messages), dict(node.store.rows)
    stranger = other.nodes[0]
    stranger.request = world.request
    record = other.request.record
    for attempt in (1, 2):
        join = Join(record.scheme, world.request.id, attempt, stranger.key, stranger.peer, (), 1)
        node.hears(stranger.seal_join(join))
    node.hears(decline(stranger), cancel(stranger))
    assert (node.store.joins, node.store.messages, node.store.rows) == before
    assert node.machine.outcome is Outcome.OPEN


def test_an_abort_for_a_lower_attempt_ends_the_request_only_if_it_says_so() -> None:
    world = World(3)
    first, second, third = world.nodes
    world.start()
    world.approve(auto=False)
    world.run(100)
    third.feed(OwnerAbort(third.key, "aborted_by_owner"))
    world.run(100)
    assert {node.machine.outcome for node in (first, second)} == {Outcome.FAILED}
    first.feed(Approved(first.key, auto=True))
    assert first.row.attempt == 1
