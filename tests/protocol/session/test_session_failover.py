"""After the signature: turns, "done", and restarts in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musig2.protocol.broadcast.failover import Failover, Passed
from musig2.protocol.interface.inputs import NotifyBroadcast
from musig2.protocol.records.records import Election
from tests.protocol.sim.node import Node
from tests.protocol.sim.world import World

BROADCAST_MS = 10_000
TXID = bytes(range(32))
OTHER_TXID = bytes(32)


def signed(n: int = 3, method: str = "lexicographic") -> World:
    world = World(n, election=Election(method, BROADCAST_MS))
    world.start()
    world.approve()
    world.run(100)
    return world


def turns(node: Node) -> list[str]:
    mine = ("session:should-broadcast", "session:coordinator-failed", "session:failover-exhausted")
    return [emit.event.removeprefix("session:") for emit in node.events if emit.event in mine]


def test_only_the_coordinator_is_asked_first() -> None:
    world = signed()
    assert [turns(node) for node in world.nodes] == [["should-broadcast"], [], []]
    told = world.nodes[0].told("session:should-broadcast")[0].data
    assert told["signatures"] == world.nodes[0].machine.signatures
    outcome = world.nodes[0].store.outcome
    assert outcome is not None
    assert outcome.completed_ms is not None
    assert told["deadline"] == outcome.completed_ms + BROADCAST_MS
    assert [node.machine.coordinator for node in world.nodes] == [0, 0, 0]


@pytest.mark.parametrize(("method", "order"), [("first-signer", (0, 1, 2)), ("last-signer", (2, 1, 0))])
def test_every_backup_has_its_turn_until_nobody_is_left(method: str, order: tuple[int, ...]) -> None:
    world = signed(method=method)
    assert not world.nodes[0].machine.idle
    world.run(4 * BROADCAST_MS)
    for node in world.nodes:
        passed = [(emit.data["failed"], emit.data["next"]) for emit in node.told("session:coordinator-failed")]
        keys = [world.keys[index] for index in order]
        assert passed == [(keys[0], keys[1]), (keys[1], keys[2]), (keys[2], None)]
        assert [emit.data for emit in node.told("session:failover-exhausted")] == [{"attempts": 3}]
        assert len(node.told("session:should-broadcast")) == 1
        assert node.machine.idle


def test_a_done_of_the_coordinator_ends_it_for_all() -> None:
    world = signed()
    coordinator = world.nodes[0]
    coordinator.feed(NotifyBroadcast(coordinator.row.session, TXID))
    world.run(5 * BROADCAST_MS)
    for node in world.nodes:
        confirmed = node.told("session:broadcast-confirmed")
        assert [emit.data for emit in confirmed] == [{"publicKey": coordinator.key, "txid": TXID}]
        assert not node.told("session:coordinator-failed")
        assert node.machine.idle


def test_a_done_out_of_turn_counts_when_the_turn_comes() -> None:
    world = signed()
    backup = world.nodes[1]
    backup.feed(NotifyBroadcast(backup.row.session, TXID))
    world.run(100)
    assert backup.told("session:broadcast-confirmed")
    assert not world.nodes[0].told("session:broadcast-confirmed")
    world.run(BROADCAST_MS)
    for node in (world.nodes[0], world.nodes[2]):
        assert turns(node)[-1] == "coordinator-failed"
        assert node.told("session:broadcast-confirmed")[0].data["publicKey"] == backup.key
    world.run(5 * BROADCAST_MS)
    assert len(world.nodes[2].told("session:coordinator-failed")) == 1


@pytest.mark.parametrize("election", [Election("lexicographic", BROADCAST_MS), None])
def test_two_txids_for_one_session_are_reported_to_all_once_with_who_named_which(election: Election | None) -> None:
    world = World(3, election=election)
    world.start()
    world.approve()
    world.run(100)
    first, second, _ = world.nodes
    first.feed(NotifyBroadcast(first.row.session, TXID))
    second.feed(NotifyBroadcast(second.row.session, OTHER_TXID))
    world.run(2 * BROADCAST_MS)
    for node in world.nodes:
        (conflict,) = node.told("session:broadcast-conflict")
        claims = {claim["publicKey"]: claim["txid"] for claim in conflict.data["claims"]}
        assert claims == {first.key: TXID, second.key: OTHER_TXID}
    for node in world.nodes:
        node.crash()
        node.restart()
    third = world.nodes[2]
    third.feed(NotifyBroadcast(third.row.session, TXID))
    world.run(100)
    assert [len(node.told("session:broadcast-conflict")) for node in world.nodes] == [1, 1, 1]


def test_one_txid_from_several_signers_is_no_conflict() -> None:
    world = signed()
    for node in world.nodes:
        node.feed(NotifyBroadcast(node.row.session, TXID))
    world.run(5 * BROADCAST_MS)
    assert not any(node.told("session:broadcast-conflict") for node in world.nodes)


def test_a_repeated_notify_sends_the_same_done_again() -> None:
    world = signed(2)
    sent: list[bytes] = []
    world.network.taps.append(lambda *args: sent.append(args[2].envelope))
    coordinator = world.nodes[0]
    for _ in range(3):
        coordinator.feed(NotifyBroadcast(coordinator.row.session, TXID))
    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert len(coordinator.told("session:broadcast-confirmed")) == 1


def test_turns_that_passed_while_down_are_reported_at_the_restart() -> None:
    world = signed()
    last = world.nodes[2]
    last.crash()
    world.run(2 * BROADCAST_MS + 1_000)
    last.restart()
    world.run(100)
    assert turns(last) == ["coordinator-failed", "coordinator-failed", "should-broadcast"]
    last.crash()
    last.restart()
    world.run(100)
    assert turns(last) == ["coordinator-failed", "coordinator-failed", "should-broadcast"]
    world.run(BROADCAST_MS)
    assert turns(last)[-1] == "failover-exhausted"


def test_a_done_survives_a_restart() -> None:
    world = signed()
    coordinator = world.nodes[0]
    coordinator.feed(NotifyBroadcast(coordinator.row.session, TXID))
    world.run(100)
    for node in world.nodes:
        node.crash()
        node.restart()
    world.run(5 * BROADCAST_MS)
    assert all(not node.told("session:coordinator-failed") for node in world.nodes)
    assert all(len(node.told("session:broadcast-confirmed")) == 1 for node in world.nodes)


def test_without_an_election_nobody_has_a_turn_and_the_own_word_is_only_noted() -> None:
    world = World(2).sign()
    first = world.nodes[0]
    assert first.machine.coordinator is None
    first.feed(NotifyBroadcast(first.row.session, TXID))
    assert first.told("session:broadcast-confirmed")


def test_notify_before_the_signature_does_nothing() -> None:
    world = World(2, election=Election("lexicographic", BROADCAST_MS))
    world.start()
    world.approve(auto=False)
    first = world.nodes[0]
    first.feed(NotifyBroadcast(first.row.session, TXID))
    assert not first.said(4)


def test_the_transaction_travels_with_the_turn() -> None:
    world = World(2, election=Election("lexicographic", BROADCAST_MS))
    record = replace(world.request.record, metadata={"transactionHex": "00ff"})
    for node in world.nodes:
        node.request = replace(world.request, record=record)
        node.machine = node._fresh()
    world.start()
    world.approve()
    world.run(100)
    assert world.nodes[0].told("session:should-broadcast")[0].data["transactionHex"] == "00ff"


def test_the_clock_of_turns_goes_by_wall_time_alone() -> None:
    failover = Failover((1, 0), 100, completed_ms=1_000)
    assert failover.coordinator == 1
    assert failover.advance(1_099) is None
    assert failover.advance(1_100) == Passed(1, 0)
    assert (failover.accepts(1), failover.accepts(0), failover.accepts(2)) == (True, True, False)
    assert failover.advance(5_000) == Passed(0, None)
    assert failover.over
    assert failover.coordinator is None
