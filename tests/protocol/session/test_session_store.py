"""Save, then send, then tell; and what happens when the save fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from musig2 import scheme
from musig2.protocol.interface.effects import Outcome, Save, SaveLock, SaveMessage, SaveOutcome, SaveRecord, Send, State
from musig2.protocol.interface.inputs import Approved, Received, ReceivedHave, SaveFailed, Tick
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Decline, Election
from musig2.protocol.wire.frames import Complete, Have, Signed
from tests.protocol.sim.liars import BadPartial
from tests.protocol.sim.node import Node
from tests.protocol.sim.store import UniqueViolation
from tests.protocol.sim.world import World


def test_what_is_sent_first_is_stored_in_the_same_effects() -> None:
    """Every own message in a Send was saved by this or an earlier input."""
    saved: set[bytes] = set()

    class Watched(Node):
        def _turn(self, queue) -> None:  # type: ignore[no-untyped-def]  # as the parent's
            original = self.machine.handle

            def handle(inp, now):  # type: ignore[no-untyped-def]  # as the machine's
                effects = original(inp, now)
                saved.update(e.message.id for e in effects if isinstance(e, SaveMessage) and e.own)
                for effect in effects:
                    frame = effect.frame if isinstance(effect, Send) else None
                    if isinstance(frame, Signed) and getattr(frame.record, "seq", 0) in (1, 2):
                        assert frame.id in saved or any(s.message.id == frame.id for s in self.store.messages.values())
                return effects

            self.machine.handle = handle  # type: ignore[method-assign]  # watches the real one
            try:
                super()._turn(queue)
            finally:
                del self.machine.handle

    world = World(3, node=Watched).sign()
    assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}
    assert len(saved) == 6


def test_a_failed_save_of_partials_wipes_them_and_sends_nothing() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    second.hears(first.join())
    first.hears(second.join())
    world.network.heal_all()
    sent: list[int] = []
    world.network.taps.append(lambda source, _, frame: sent.append(getattr(getattr(frame, "record", None), "seq", 0)))
    first.store_broken = True
    first.hears(*second.said(1))
    assert (first.row.state, first.row.reason, first.row.scope) == (State.ABORTED, "store_failed", "attempt")
    assert not first.row.partial_released
    assert not first.machine.partial_released
    assert 2 not in sent
    assert not first.store.locks
    world.run(2_000)
    assert not first.said(2)
    assert second.row.reason == "aborted_by_signer"


def test_messages_of_others_are_stored_again_later() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    first.store_broken = True
    first.hears(second.join())
    assert (1, 1) not in first.store.joins
    world.run(1_500)
    assert (1, 1) in first.store.joins


def test_a_signature_that_could_not_be_stored_is_stored_and_told_later() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    second.hears(first.join())
    first.hears(second.join(), *second.said(1))
    second.hears(*first.said(1))
    first.store_broken = True
    first.hears(*second.said(2))
    assert first.store.outcome is None or first.store.outcome.outcome is not Outcome.COMPLETE
    assert not first.told("signature:finalized")
    world.run(1_500)
    assert first.store.outcome is not None
    assert first.store.outcome.outcome is Outcome.COMPLETE
    assert len(first.told("signature:finalized")) == 1
    assert first.row.state is State.COMPLETE


def test_a_failed_save_without_named_effects_ends_the_attempt() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    second.hears(first.join())
    first.hears(second.join(), *second.said(1))
    assert first.row.state is State.ROUND2
    first.feed(SaveFailed())
    assert first.row.reason == "store_failed"
    assert first.row.partial_released


def test_a_signature_that_is_not_stored_is_shown_to_no_peer() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    second.hears(first.join())
    first.hears(second.join(), *second.said(1))
    second.hears(*first.said(1))
    first.store_broken = True
    first.hears(*second.said(2))
    have = Have(world.request.id, 1, b"\x03", b"\x03", b"\x02")

    unstored = first.machine.handle(ReceivedHave(have, second.peer), first.clock.now())
    first.store_broken = False
    world.run(3_000)
    stored = first.machine.handle(ReceivedHave(have, bytes(38)), first.clock.now())

    assert not [effect for effect in unstored if isinstance(effect, Send) and isinstance(effect.frame, Complete)]
    assert [effect.frame for effect in stored if isinstance(effect, Send)] == [
        Complete(world.request.id, first.machine.signatures)
    ]


def test_a_failed_save_of_an_ended_session_changes_no_state() -> None:
    world = World(2).sign()
    first = world.nodes[0]
    state = first.row
    assert (
        first.machine.handle(SaveFailed((SaveLock(first.row.session, first.key, 0, bytes(32)),)), first.clock.now())
        == []
    )
    assert first.row == state


def test_the_store_refuses_a_second_lock() -> None:
    world = World(2).sign()
    first = world.nodes[0]
    with pytest.raises(UniqueViolation):
        first.store.commit([SaveLock(first.row.session, first.key, 0, bytes(32))])


def test_a_duplicate_leaves_no_trace() -> None:
    world = World(2).sign()
    first, second = world.nodes
    for message in (*second.said(1), *second.said(2), second.join()):
        heard: Any = message
        effects = first.machine.handle(Received(heard, second.peer), first.clock.now())
        assert not [effect for effect in effects if not isinstance(effect, Send)]


def test_a_late_tick_after_the_end_does_nothing() -> None:
    world = World(2).sign()
    first = world.nodes[0]
    world.run(10_000_000)
    assert first.machine.handle(Tick(), first.clock.now()) == []
    assert first.machine.next_wakeup_ms() is None


class FailsOnce(Node):
    """The first commit of which `wanted` says so fails."""

    wanted: Callable[[list[Save]], bool] = staticmethod(lambda saves: False)
    failed = False

    def _commit(self, saves: list[Save]) -> bool:
        if not self.failed and self.wanted(saves):
            self.failed = True
            return False
        return super()._commit(saves)


def test_the_event_of_a_proof_that_could_not_be_stored_at_first_is_told_with_it() -> None:
    world = World(3, odd={2: BadPartial}, node=FailsOnce)
    first = world.nodes[0]
    assert isinstance(first, FailsOnce)
    first.wanted = lambda saves: any(isinstance(save, SaveRecord) and save.culprit for save in saves)
    world.start()
    world.approve()
    world.run(60_000)
    assert first.failed
    assert [event.data["reason"] for event in first.told("session:aborted")] == ["bad_partial"]


def test_whose_turn_it_is_to_broadcast_is_told_though_the_signature_was_stored_late() -> None:
    world = World(2, node=FailsOnce, election=Election("lexicographic", 50_000))
    first = world.nodes[0]
    assert isinstance(first, FailsOnce)
    first.wanted = lambda saves: any(isinstance(save, SaveOutcome) and save.signatures for save in saves)
    world.start()
    world.approve()
    world.run(40_000)
    assert first.failed
    assert (len(first.told("signature:finalized")), len(first.told("session:should-broadcast"))) == (1, 1)


def test_the_end_of_a_request_is_not_sent_before_it_is_stored() -> None:
    world = World(2, node=FailsOnce)
    first, second = world.nodes
    assert isinstance(first, FailsOnce)
    first.wanted = lambda saves: any(isinstance(save, SaveRecord) for save in saves)
    world.start()
    record = Decline("lotus", world.request.id, first.key, "no", world.clock.now().wall_ms)
    signed = seal(record, lambda digest: scheme("lotus").schnorr_sign(first.secrets[first.key], digest))
    first.feed(Received(signed, None))
    shown: list[bool] = []
    world.network.taps.append(
        lambda source, _, frame: (
            shown.append(bool(first.store.records))
            if source == first.peer and isinstance(getattr(frame, "record", None), Decline)
            else None
        )
    )
    second.feed(Approved(second.key, True))
    world.run(20_000)
    assert shown
    assert all(shown)
    assert len(first.told("signing-request:declined")) == 1
