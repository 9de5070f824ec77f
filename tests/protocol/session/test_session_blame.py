"""Which signers are accused, with which proof, and which are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musig2.protocol.blame.evidence import verify_evidence
from musig2.protocol.errors import BadEncoding
from musig2.protocol.interface.effects import NeedPartials, Outcome, State
from musig2.protocol.interface.inputs import PartialsReady, StartRound1, StartRound2
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import AbortBody, NonceBody, PartialBody
from tests.protocol.sim.liars import (
    Accuser,
    BadPartial,
    BadPartialForOne,
    BrokenNonce,
    Impostor,
    Liar,
    SilentInRound1,
    SilentInRound2,
    TooFewNonces,
    TwoJoins,
    TwoNonces,
    WrongJoinSet,
    WrongNonceSet,
)
from tests.protocol.sim.world import World


def with_liar(kind: type[Liar], n: int = 3, **options: object) -> World:
    return World(n, odd={n - 1: kind}, **options)  # type: ignore[arg-type]  # passed on as they are


@pytest.mark.parametrize("scheme_name", ["lotus", "bip340"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (BadPartial, "bad_partial"),
        (BrokenNonce, "invalid_contribution"),
        (TooFewNonces, "invalid_contribution"),
        (TwoNonces, "equivocation"),
    ],
)
def test_a_cheat_is_proven_to_every_honest_signer(scheme_name: str, kind: type[Liar], reason: str) -> None:
    world = with_liar(kind, scheme_name=scheme_name)
    world.start()
    world.approve()
    world.run(1_000)
    cheat = world.nodes[2].key
    for node in world.nodes[:2]:
        assert node.row.state is State.ABORTED
        assert (node.row.reason, node.row.scope, node.row.culprits) == (reason, "request", (cheat,))
        assert node.machine.outcome is Outcome.FAILED
        assert [blame.key for blame in node.blames] == [cheat]
        proof = [save.signed.envelope for save in node.store.records.values() if save.culprit == cheat]
        assert verify_evidence(world.request.envelope, proof) == [(cheat, reason)]


def test_a_partial_that_is_bad_for_one_is_proven_there_and_stays_on_record_when_others_finish() -> None:
    world = with_liar(BadPartialForOne)
    world.start()
    world.approve()
    world.run(1_000)
    liar = world.nodes[2]
    assert isinstance(liar, Liar)
    victim = next(node for node in world.nodes[:2] if node.peer == liar.victims()[0])
    assert victim.row.culprits == (world.nodes[2].key,)
    assert victim.told("session:aborted")[0].data["reason"] == "bad_partial"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (SilentInRound1, "timeout_round1"),
        (SilentInRound2, "timeout_round2"),
        (WrongJoinSet, "timeout_round1"),
    ],
)
def test_a_signer_that_sends_nothing_usable_is_missing_and_no_culprit(kind: type[Liar], reason: str) -> None:
    world = with_liar(kind)
    world.start()
    world.approve()
    world.run(30_000)
    silent = world.nodes[2].key
    reasons = {node.row.reason for node in world.nodes[:2]}
    assert reason in reasons
    assert reasons <= {reason, "aborted_by_signer"}
    for node in world.nodes[:2]:
        assert node.row.missing == (silent,)
        assert node.row.culprits == ()
        assert not node.blames


def test_a_partial_for_another_nonce_set_accuses_nobody() -> None:
    world = with_liar(WrongNonceSet)
    world.start()
    world.approve()
    world.run(30_000)
    assert all(not node.row.culprits for node in world.nodes)


def test_two_joins_of_one_key_name_it_and_accuse_nobody() -> None:
    world = with_liar(TwoJoins)
    world.start()
    world.approve()
    world.run(2_000)
    for node in world.nodes[:2]:
        assert node.row.reason == "join_conflict"
        assert node.row.conflicting == (world.nodes[2].key,)
        assert node.row.culprits == ()
        assert not node.blames
        assert node.told("session:aborted")[0].data["conflicting"] == (world.nodes[2].key,)


def test_a_join_of_an_own_key_from_elsewhere_stops_signing_and_tells_the_owner() -> None:
    world, elsewhere = World(2), World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    thief = elsewhere.nodes[0]
    thief.identity = type(first.identity)(bytes([5]) * 32)
    join = replace(first.join().record, peer=thief.identity.peer)
    first.hears(thief.seal_join(join))
    assert [conflict.peer for conflict in first.conflicts] == [thief.identity.peer]
    assert first.told("session:error")[0].data["code"] == "join_conflict"
    assert (first.row.reason, first.row.scope) == ("join_conflict", "request")
    first.hears(second.join())
    assert not first.said(1)


def test_messages_for_the_joins_of_others_change_nothing() -> None:
    world = with_liar(Impostor).sign()
    assert {node.machine.outcome for node in world.nodes} == {Outcome.COMPLETE}


def test_false_accusations_end_the_request_but_accuse_nobody() -> None:
    world = with_liar(Accuser)
    world.start()
    world.approve()
    world.run(1_000)
    for node in world.nodes[:2]:
        assert node.row.reason == "aborted_by_signer"
        assert node.row.by == world.nodes[2].key
        assert node.row.culprits == ()


def test_a_flood_of_aborts_is_looked_into_three_times_at_most() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    looked: list[int] = []
    contributions = first.machine._contributions
    original = contributions._look_into

    def counted(*arguments):  # type: ignore[no-untyped-def]  # passes on what it gets
        found = original(*arguments)
        looked.append(contributions._checked.get(1, 0))
        return found

    contributions._look_into = counted  # type: ignore[method-assign]  # counts the real thing
    first.hears(second.join())
    for number in range(50):
        message = replace(first.said(1)[0].record, join=second.join().id)
        body = AbortBody("equivocation", "attempt", (), (bytes([number + 1]),))
        first.hears(seal(replace(message, body=body), second.identity.sign, peer=second.peer))
    assert max(looked) == 3
    assert len([save for save in first.store.messages.values() if save.seq == 3 and not save.own]) == 1


def test_a_proof_that_comes_after_a_timeout_takes_its_place() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve(auto=False)
    second.hears(first.join())
    first.hears(second.join())
    _start_both(world)
    nonce = second.said(1)[0]
    first.hears(nonce)
    world.run(30_000)
    assert first.row.reason == "timeout_round1"
    body = nonce.record.body
    assert isinstance(body, NonceBody)
    other = replace(nonce.record, body=replace(body, joinset=bytes(32)))
    first.hears(seal(other, second.identity.sign, peer=second.peer))
    assert (first.row.reason, first.row.culprits) == ("equivocation", (second.key,))
    first.crash()
    first.restart()
    assert first.row.culprits == (second.key,)


def _start_both(world: World) -> None:
    for node in world.nodes:
        node.feed(StartRound1(node.row.session, None))


def test_an_own_bad_partial_never_leaves() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve()
    original = first._partials

    def broken(need: NeedPartials) -> PartialsReady:
        ready = original(need)
        assert isinstance(ready, PartialsReady)
        return replace(ready, psigs=tuple(bytes(31) + b"\x09" for _ in ready.psigs))

    first._partials = broken  # type: ignore[method-assign]  # a port with a bad memory
    second.hears(first.join())
    first.hears(second.join(), *second.said(1))
    assert not first.said(2)
    assert not first.store.locks
    assert first.row.reason == "nonce_lost"
    assert first.told("session:error")[0].data["code"] == "signing_fault"


def test_evidence_of_nothing_proves_nothing() -> None:
    world = World(2).sign()
    envelopes = [
        *(save.join.envelope for save in world.nodes[0].store.joins.values()),
        *(save.message.envelope for save in world.nodes[0].store.messages.values()),
        b"junk",
    ]
    assert verify_evidence(world.request.envelope, envelopes) == []
    with pytest.raises(BadEncoding):
        verify_evidence(envelopes[0], envelopes)


def test_a_forged_proof_does_not_hold() -> None:
    """A stranger signs what an honest signer is to be accused of."""
    world = World(2).sign()
    first, second = world.nodes
    partial = first.said(2)[0]
    body = partial.record.body
    assert isinstance(body, PartialBody)
    bad = replace(partial.record, body=replace(body, psigs=(bytes(31) + b"\x01",)))
    forged = seal(bad, second.identity.sign, peer=second.peer)
    known = [save.join.envelope for save in first.store.joins.values()]
    known += [save.message.envelope for save in first.store.messages.values() if save.seq == 1]
    assert verify_evidence(world.request.envelope, [*known, partial.envelope, forged.envelope]) == []
    assert verify_evidence(world.request.envelope, [*known, forged.envelope]) == []
    true = seal(bad, first.identity.sign, peer=first.peer)
    assert verify_evidence(world.request.envelope, [*known, true.envelope]) == [(first.key, "bad_partial")]


def test_proof_of_a_bad_partial_among_many_signers_reaches_those_who_hold_the_nonces() -> None:
    world = with_liar(BadPartial, n=6)
    world.start()
    world.approve()
    world.run(2_000)
    assert {node.row.culprits for node in world.nodes[:5]} == {(world.nodes[5].key,)}


def test_a_bad_partial_that_waited_in_its_slot_is_found_when_the_round_is_broken_off() -> None:
    world = World(2)
    first, second = world.nodes
    world.start_apart()
    world.approve(auto=False)
    second.hears(first.join())
    first.hears(second.join())
    _start_both(world)
    second.hears(*first.said(1))
    first.hears(*second.said(1))
    second.feed(StartRound2(second.row.session, None))
    partial = second.said(2)[0].record
    body = partial.body
    assert isinstance(body, PartialBody)
    bad = replace(partial, body=replace(body, psigs=(bytes(31) + b"\x01",)))
    first.hears(seal(bad, second.identity.sign, peer=second.peer))
    assert first.row.state is State.ROUND1
    world.run(30_000)
    assert (first.row.reason, first.row.culprits) == ("bad_partial", (second.key,))
    assert not first.row.partial_released
