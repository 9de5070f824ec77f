"""Attempts: crashes, restarts, joins of higher attempts, and the last attempt."""

from __future__ import annotations

import pytest

from musig2.protocol.interface.effects import Outcome, State
from musig2.protocol.interface.inputs import Approved, JoinReady, SignerRefused, StartRound1, Tick
from musig2.protocol.records.records import Join
from musig2.protocol.wire.frames import Signed
from tests.protocol.sim.node import Node
from tests.protocol.sim.world import TTL_MS, World


def crash_after_nonce(node: Node, attempt: int = 1) -> None:
    """Let a node die as soon as its nonce of that attempt is stored."""
    node.crash_at = lambda seam: seam == "after_save" and len(node.said(1)) == attempt and not node.said(2)


def test_a_crash_in_round_1_ends_the_attempt_and_the_next_one_begins_automatically() -> None:
    world = World(2)
    first = world.nodes[0]
    world.start()
    crash_after_nonce(first)
    world.approve()
    world.run(500)
    assert not first.up
    first.crash_at = lambda _: False
    first.restart()
    assert first.row.reason == "nonce_lost"
    assert first.told("session:aborted")[0].data["retrying"] is True
    world.run(900)
    assert first.row.attempt == 1
    world.run(1_000)
    assert [node.row.attempt for node in world.nodes] == [2, 2]
    assert all(node.machine.outcome is Outcome.COMPLETE for node in world.nodes)


def test_a_signer_that_follows_into_a_higher_attempt_names_it() -> None:
    world = World(2)
    first, second = world.nodes
    world.start()
    world.approve(auto=False)
    world.run(100)
    record = first.join().record
    higher = first.seal_join(Join(record.scheme, record.request, 3, record.pubkey, record.peer, (), record.ts))
    second.hears(higher)
    old = min(second.store.rows.values(), key=lambda row: row.attempt)
    assert (old.attempt, old.state, old.reason) == (1, State.ABORTED, "superseded")
    assert old.superseded_by == second.row.session
    assert second.row.attempt == 3
    assert second.told("session:aborted")[0].data["supersededBy"] == second.row.session


def test_autoadvance_is_inherited_by_later_attempts() -> None:
    world = World(2)
    first, second = world.nodes
    world.start()
    world.approve(auto=False)
    record = first.join().record
    second.hears(first.seal_join(Join(record.scheme, record.request, 2, record.pubkey, record.peer, (), record.ts)))
    assert second.row.auto is False


def test_a_key_without_approval_follows_into_no_attempt() -> None:
    world = World(2)
    first, second = world.nodes
    world.start()
    first.feed(Approved(first.key, auto=True))
    world.run(1_000)
    assert not second.store.rows
    assert second.told("participant:joined")
    assert second.told("session:created")


def test_a_key_never_joins_one_attempt_twice() -> None:
    world = World(2)
    first = world.nodes[0]
    world.start_apart()
    for _ in range(5):
        first.feed(Approved(first.key, auto=True))
    assert len([save for save in first.store.joins.values() if save.own]) == 1


def test_an_approval_after_a_dead_attempt_starts_the_next() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    first.hears(second.join())
    world.run(30_000)
    assert first.row.reason == "timeout_round1"
    first.feed(Approved(first.key, auto=True))
    assert first.row.attempt == 2


def test_a_restart_in_joining_goes_on_with_the_same_join() -> None:
    world = World(2)
    first, second = world.nodes
    world.start()
    first.feed(Approved(first.key, auto=True))
    join = first.join()
    first.crash()
    world.run(100)
    first.restart()
    assert first.join().envelope == join.envelope
    second.feed(Approved(second.key, auto=True))
    world.run(1_000)
    assert first.machine.outcome is Outcome.COMPLETE


def test_a_restart_in_round_2_sends_the_stored_partial_byte_for_byte() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    second.hears(first.join())
    first.hears(second.join(), *second.said(1))
    stored = first.said(2)[0].envelope
    world.network.heal_all()
    first.crash()
    sent: list[bytes] = []
    world.network.taps.append(lambda *args: sent.append(getattr(args[2], "envelope", b"")))
    first.restart()
    assert stored in sent
    world.run(5_000)
    assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}
    assert first.row.attempt == 1


def test_a_finished_request_is_finished_after_a_restart() -> None:
    world = World(2).sign()
    first = world.nodes[0]
    signatures = first.machine.signatures
    first.crash()
    first.restart()
    assert first.machine.signatures == signatures
    assert first.machine.idle
    assert len(first.told("signature:finalized")) == 1


def test_attempts_run_out() -> None:
    world = World(2, max_attempts=2)
    first, second = world.nodes
    world.start()
    crash_after_nonce(first)
    world.approve()
    world.run(500)
    crash_after_nonce(first, attempt=2)
    first.restart()
    world.run(5_000)
    assert not first.up
    first.crash_at = lambda _: False
    first.restart()
    world.run(1_000)
    assert first.row.reason == "attempts_exhausted"
    assert first.machine.outcome is Outcome.FAILED
    assert second.machine.outcome is Outcome.FAILED


def test_the_pause_before_another_attempt_doubles() -> None:
    world = World(2)
    first = world.nodes[0]
    pauses = []
    for lost in range(1, 4):
        attempts = first.machine._attempts
        world.start_apart()
        attempts.want(first.key, lost)
        first.feed(JoinReady(_join(first, lost)))
        first.hears(_join(world.nodes[1], lost))
        first.crash()
        first.restart()
        pauses.append(min(first.machine._attempts._rejoins.values()) - world.clock.mono_ms)
    assert pauses == [1_000, 2_000, 4_000]


def _join(node: Node, attempt: int) -> Signed[Join]:
    record = node.request.record
    return node.seal_join(Join(record.scheme, node.request.id, attempt, node.key, node.peer, (), record.created))


def test_a_locked_key_does_not_follow_and_the_request_expires() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    second.locked = True
    second.hears(_join(first, 2))
    assert second.told("session:error")[0].data == {"code": "locked"}
    assert second.row.attempt == 1
    world.run(TTL_MS + 1_000)
    assert second.machine.outcome is Outcome.EXPIRED


@pytest.mark.parametrize(("refusal", "reason"), [("locked", "locked"), ("nonce_lost", "nonce_lost")])
def test_a_refusal_to_make_nonces_ends_the_attempt(refusal: str, reason: str) -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    first._nonces = lambda need: SignerRefused(need.key, 1, refusal)  # type: ignore[method-assign, assignment, return-value]  # it refuses
    first.hears(second.join())
    assert (first.row.reason, first.row.scope) == (reason, "attempt")
    assert not first.said(1)


@pytest.mark.parametrize("attempt", [6, 16])
def test_joins_of_attempts_that_the_request_does_not_allow_are_ignored(attempt: int) -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    first.hears(_join(second, attempt))
    assert first.machine.attempt == 0
    assert not first.store.joins


def test_endless_attempts_of_one_signer_end_at_the_maximum() -> None:
    world = World(3)
    climber, *others = world.nodes
    world.start_apart()
    world.approve()
    for attempt in range(2, 6):
        for other in others:
            other.hears(_join(climber, attempt))
    assert [other.row.attempt for other in others] == [5, 5]
    world.run(TTL_MS + 30_000)
    assert {other.machine.outcome for other in others} == {Outcome.EXPIRED}
    assert all(len([s for s in other.store.joins.values() if s.own]) == 5 for other in others)


def test_time_that_passed_while_down_counts_for_the_round() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    second.hears(first.join())
    first.hears(second.join(), *second.said(1))
    first.crash()
    world.run(15_000)
    first.restart()
    world.run(4_900)
    assert first.row.state is State.ROUND2
    world.run(200)
    first.feed(Tick())
    assert first.row.reason == "timeout_round2"


def test_when_the_last_attempt_is_lost_by_one_own_key_the_other_ends_too() -> None:
    world = World(3, grouping=[2, 1], max_attempts=1)
    world.start()
    both, other = world.nodes
    for key in both.own:
        both.feed(Approved(key, False))
    other.feed(Approved(other.key, True))
    world.run(200)
    session, late = both.row.session, sorted(both.own)[1]
    both.feed(StartRound1(session, min(both.own)))
    world.run(200)
    both.crash()
    both.restart()
    world.run(100)
    assert both.machine.outcome is Outcome.FAILED
    assert {view.state for view in both.machine.session_views()} == {State.ABORTED}
    nonces = len(both.said(1))
    both.feed(StartRound1(session, late))
    assert len(both.said(1)) == nonces


def test_a_rejoin_that_is_due_after_expiry_keeps_no_timer_running() -> None:
    world = World(3, grouping=[2, 1])
    world.start()
    world.run(TTL_MS - 1_500)
    both, other = world.nodes
    first, second = sorted(both.own)
    both.feed(Approved(first, True))
    both.feed(Approved(second, False))
    other.feed(Approved(other.key, True))
    world.run(100)
    both.feed(StartRound1(both.row.session, second))
    world.run(500)
    both.crash()
    both.restart()
    world.run(2_000)
    wake = both.machine.next_wakeup_ms()
    assert wake is None or wake > world.clock.mono_ms
