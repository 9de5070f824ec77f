"""Outsiders and cheating signers against whole daemons: what they cost, and who is blamed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from daemon.signing.engine.restore import open_request
from daemon.signing.limits import SigningLimits
from musig2.protocol.blame.evidence import verify_evidence
from musig2.protocol.records.envelope import open_envelope, seal
from musig2.protocol.records.ids import session_id
from musig2.protocol.records.records import Join, Message, NonceBody, Request
from musig2.protocol.wire.frames import Answer, Complete, Fetch, Have, Signed
from tests.signing.mallory import Mallory, now_ms, unsolicited
from tests.signing.signing_world import Daemon, World, announce, join, signatures


async def asked(creator: Daemon, keys: list[bytes], **params: object) -> Signed[Request]:
    answer = await creator.call(
        "announceSigningRequest",
        publicKey=creator.key.hex(),
        requiredPublicKeys=[key.hex() for key in keys],
        message=os.urandom(32).hex(),
        **params,
    )
    return open_request(bytes.fromhex(answer["request"]["envelope"]))


async def with_cheat(world: World, name: str = "lotus") -> tuple[Daemon, Mallory, Signed[Request], list[Signed[Join]]]:
    """A daemon and Mallory, both required, both joined."""
    one, mallory = await world.add(name), Mallory(world, name)
    mallory.advertise()
    request = await asked(one, [one.key, mallory.key])
    await mallory.hears(Request)
    theirs = await mallory.hears(Join, lambda record: record.pubkey == one.key)
    mine = mallory.join(request)
    mallory.say(one.peer, mine)
    joins = sorted((theirs, mine), key=lambda signed: signed.record.pubkey)
    return one, mallory, request, joins


async def assert_blamed(one: Daemon, mallory: Mallory, request: Signed[Request], reason: str) -> None:
    event = await one.until("session:aborted", requestId=request.id.hex(), retrying=False)
    assert (event.data["reason"], event.data["culprits"]) == (reason, [mallory.key.hex()])
    found = await one.call("getEvidence", sessionId=event.data["sessionId"])
    assert found["culprits"] == [mallory.key.hex()]
    evidence = [bytes.fromhex(envelope) for envelope in found["evidence"]]
    assert verify_evidence(bytes.fromhex(found["request"]), evidence) == [(mallory.key, reason)]
    await one.world.book.until(mallory.key, "failed")
    assert not one.told("signature:finalized")


# Cheating signers


@pytest.mark.parametrize("name", ["lotus", "bip340"])
async def test_a_wrong_partial_signature_is_proven(world: World, name: str) -> None:
    one, mallory, request, joins = await with_cheat(world, name)
    mine = mallory.nonce(request, joins)
    mallory.say(one.peer, mine)
    theirs = await mallory.hears(Message, lambda record: isinstance(record.body, NonceBody))
    nonces = [mine, theirs] if joins[0].record.pubkey == mallory.key else [theirs, mine]
    mallory.say(one.peer, mallory.partial(request, joins, nonces, bad=True))
    await assert_blamed(one, mallory, request, "bad_partial")


async def test_two_nonces_of_one_signer_are_proven(world: World) -> None:
    one, mallory, request, joins = await with_cheat(world)
    mallory.say(one.peer, mallory.nonce(request, joins))
    mallory.say(one.peer, mallory.nonce(request, joins))
    await assert_blamed(one, mallory, request, "equivocation")


async def test_a_nonce_that_is_no_point_is_proven(world: World) -> None:
    one, mallory, request, joins = await with_cheat(world)
    good = mallory.nonce(request, joins)
    assert isinstance(good.record.body, NonceBody)
    bad = replace(good.record, body=replace(good.record.body, pubnonces=(b"\x02" + b"\xff" * 65,)))
    mallory.say(one.peer, seal(bad, mallory.identity.sign, peer=mallory.peer))
    await assert_blamed(one, mallory, request, "invalid_contribution")


async def test_different_nonces_to_different_peers_are_detected(world: World) -> None:
    one, two, mallory = await world.add(), await world.add(), Mallory(world)
    mallory.advertise()
    request = await asked(one, [one.key, two.key, mallory.key], roundMs=1_500)
    await join(two, request.id.hex())
    mallory.say(two.peer, Have(request.id, 1, bytes(1), bytes(1), bytes(1)))
    theirs = [await mallory.hears(Join, lambda record, key=key: record.pubkey == key) for key in (one.key, two.key)]
    joins = sorted((*theirs, mallory.join(request)), key=lambda signed: signed.record.pubkey)
    mine = next(one for one in joins if one.record.pubkey == mallory.key)
    mallory.say(one.peer, mine, mallory.nonce(request, joins))
    mallory.say(two.peer, mine, mallory.nonce(request, joins))
    for daemon in (one, two):
        event = await daemon.until("session:aborted", requestId=request.id.hex(), reason="equivocation")
        assert event.data["culprits"] == [mallory.key.hex()]


async def test_a_withheld_partial_that_comes_late_was_announced_as_released(world: World) -> None:
    """Mallory waits for the round to die, and can finish then: the daemon said so all along."""
    one, mallory = await world.add(), Mallory(world)
    mallory.advertise()
    request = await asked(one, [one.key, mallory.key], roundMs=1_000)
    joins = sorted((await mallory.hears(Join), mallory.join(request)), key=lambda signed: signed.record.pubkey)
    own = next(one for one in joins if one.record.pubkey == mallory.key)
    mine = mallory.nonce(request, joins)
    mallory.say(one.peer, own, mine)
    nonce = await mallory.hears(Message, lambda record: record.seq == 1)
    await mallory.hears(Message, lambda record: record.seq == 2)
    event = await one.until("session:aborted", requestId=request.id.hex())
    assert (event.data["reason"], event.data["missing"]) == ("timeout_round2", [mallory.key.hex()])
    shown = await one.call("getSigningRequest", requestId=request.id.hex())
    assert shown["partialReleased"] is True
    assert (await one.call("getSession", sessionId=event.data["sessionId"]))["partialReleased"] is True
    nonces = [mine, nonce] if joins[0].record.pubkey == mallory.key else [nonce, mine]
    theirs = await mallory.hears(Message, lambda record: record.seq == 2)
    mallory.say(one.peer, mallory.finish(request, joins, nonces, theirs))
    assert len(await signatures(one, request.id.hex())) == 1


async def test_endless_attempts_end_at_the_maximum(world: World) -> None:
    one, mallory, request, _ = await with_cheat(world)
    for attempt in range(2, request.record.max_attempts + 1):
        mallory.say(one.peer, mallory.join(request, attempt))
        await mallory.hears(Join, lambda record, n=attempt: (record.attempt, record.pubkey) == (n, one.key))
    mallory.say(one.peer, mallory.join(request, request.record.max_attempts + 1))
    mallory.say(one.peer, mallory.decline(request))
    event = await one.until("signing-request:declined", requestId=request.id.hex())
    assert event.data["publicKey"] == mallory.key.hex()
    attempts = {one.data["attempt"] for one in one.told("signing-request:joined")}
    assert max(attempts) <= request.record.max_attempts


# Outsiders


async def test_an_outsider_can_neither_join_nor_abort_nor_decline(world: World) -> None:
    one, two = await world.grow(2)
    outsider = Mallory(world)
    request = await asked(one, [one.key, two.key])
    session = session_id(request.id, 1)
    await two.until("signing-request:received", requestId=request.id.hex())
    joined = await one.call("getSigningRequest", requestId=request.id.hex())
    own = outsider.join(request)
    outsider.say(one.peer, own, outsider.decline(request), outsider.abort(session, own.id))
    outsider.say(one.peer, outsider.message(session, own.id, NonceBody(bytes(32), (bytes(66),))))
    outsider.say(one.peer, Complete(request.id, (bytes(64),)))
    await join(two, request.id.hex())
    assert await signatures(one, request.id.hex()) == await signatures(two, request.id.hex())
    after = await one.call("getSigningRequest", requestId=request.id.hex())
    assert [signer["publicKey"] for signer in after["signers"]] == [s["publicKey"] for s in joined["signers"]]
    assert not world.book.outcomes or all(outcome == "completed" for _, outcome in world.book.outcomes)


async def test_an_outsider_cannot_sign_for_a_signers_join(world: World) -> None:
    """A nonce, a partial or an abort under a join counts only if the peer of that join signed it."""
    one, two = await world.grow(2)
    outsider = Mallory(world)
    request = await asked(one, [one.key, two.key], autoAdvance=False)
    await join(two, request.id.hex(), autoAdvance=False)
    await one.until("session:ready", requestId=request.id.hex())
    session = session_id(request.id, 1)
    for stored in one.store.read(lambda conn: conn.execute("SELECT envelope FROM signing_joins").fetchall()):
        theirs = open_envelope(stored[0], max_bytes=10_000)
        outsider.say(one.peer, outsider.abort(session, theirs.id))
        outsider.say(one.peer, outsider.message(session, theirs.id, NonceBody(bytes(32), (bytes(66),))))
    for daemon in (one, two):
        await daemon.call("startRound1", sessionId=session.hex())
        await daemon.call("startRound2", sessionId=session.hex())
    assert await signatures(one, request.id.hex()) == await signatures(two, request.id.hex())


async def test_a_join_that_names_another_peer_is_refused(world: World) -> None:
    """The peer that a join names must countersign it, so nobody points at somebody else's peer."""
    one, mallory = await world.add(), Mallory(world)
    bystander = Mallory(world)
    mallory.advertise()
    request = await asked(one, [one.key, mallory.key])
    await mallory.hears(Request)
    record = replace(mallory.join(request).record, peer=bystander.peer)
    forged = seal(record, mallory.sign, mallory.identity.sign)
    mallory.say(one.peer, forged)
    mallory.say(one.peer, mallory.join(request))
    event = await one.until("participant:joined", requestId=request.id.hex())
    assert event.data["publicKey"] == mallory.key.hex()
    assert one.net is not None
    assert one.net.offences == 1


async def test_a_request_is_sent_only_to_peers_of_required_keys(world: World) -> None:
    one, two = await world.grow(2)
    outsider, signer = Mallory(world), Mallory(world)
    request = await asked(one, [one.key, two.key, signer.key])
    empty = bytes(1)
    outsider.say(one.peer, Have(request.id, 1, empty, empty, empty))
    assert (await outsider.hears_frame(Answer)).code == "not_yet"
    stolen = signer.delegation()
    outsider.say(one.peer, Fetch((stolen.envelope,)), Fetch((outsider.delegation().envelope,)))
    signer.say(one.peer, Fetch((stolen.envelope,)))
    assert (await signer.hears(Request)).id == request.id
    assert [type(frame) for frame in outsider.heard] == [Answer]


async def test_a_foreign_join_of_an_own_key_pauses_it(world: World) -> None:
    one, two = await world.grow(2)
    thief = Mallory(world)
    request = await asked(one, [one.key, two.key])
    thief.secret = one.keystore.get(one.key)
    thief.say(one.peer, thief.join(request, key=one.key))
    await one.until("session:error", requestId=request.id.hex())
    await one.stop()
    await one.start()
    assert (await one.until("key:paused", publicKey=one.key.hex())).data["reason"] == "key_conflict"
    assert one.keystore.info(one.key).paused


# Floods and rubbish


async def test_unsolicited_requests_are_bounded_per_peer(make_world: Callable[..., World]) -> None:
    world = make_world(limits=SigningLimits(unsolicited_per_peer=3))
    one = await world.add()
    flooder, other = Mallory(world), Mallory(world)
    for _ in range(5):
        flooder.say(one.peer, unsolicited(flooder, one.key))
    assert (await flooder.hears_frame(Answer)).code == "busy"
    other.say(one.peer, unsolicited(other, one.key))
    await one.until("signing-request:received", 4)
    assert len((await one.call("findSigningRequestsForMe"))["requests"]) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"expires": now_ms() - 1, "created": now_ms() - 1_000},
        {"created": now_ms() + 3_600_000, "expires": now_ms() + 7_200_000},
        {"expires": now_ms() + 8 * 24 * 3_600_000},
        {"metadata": {"note": tuple("x" * 200 for _ in range(260))}},
    ],
    ids=["expired", "from the future", "too long", "too large"],
)
async def test_requests_out_of_bounds_are_not_stored(world: World, changes: dict[str, object]) -> None:
    one, mallory = await world.add(), Mallory(world)
    bad, good = unsolicited(mallory, one.key, **changes), unsolicited(mallory, one.key)
    mallory.say(one.peer, bad, good)
    await one.until("signing-request:received", requestId=good.id.hex())
    shown = (await one.call("findSigningRequestsForMe"))["requests"]
    assert [request["requestId"] for request in shown] == [good.id.hex()]


async def test_a_request_whose_aggregate_is_wrong_is_not_stored(world: World) -> None:
    one, mallory = await world.add(), Mallory(world)
    good = unsolicited(mallory, one.key)
    wrong = replace(good.record, items=(replace(good.record.items[0], agg=mallory.key),))
    mallory.say(one.peer, seal(wrong, mallory.sign), good)
    await one.until("signing-request:received", requestId=good.id.hex())
    assert len(one.told("signing-request:received")) == 1


async def test_a_request_for_others_is_not_stored(world: World) -> None:
    one, mallory, other = await world.add(), Mallory(world), Mallory(world)
    good = unsolicited(mallory, one.key)
    mallory.say(one.peer, unsolicited(mallory, other.key), good)
    await one.until("signing-request:received", requestId=good.id.hex())
    assert len(one.told("signing-request:received")) == 1


async def test_messages_about_unknown_requests_are_bounded_and_answered(world: World) -> None:
    one, mallory = await world.add(), Mallory(world)
    request = unsolicited(mallory, one.key)
    for number in range(50):
        mallory.say(one.peer, mallory.message(os.urandom(32), bytes(32), NonceBody(bytes(32), (bytes([number]) * 66,))))
    mallory.say(one.peer, mallory.join(request))
    assert (await mallory.hears_frame(Answer)).code == "unknown_request"
    mallory.say(one.peer, request)
    event = await one.until("signing-request:received", requestId=request.id.hex())
    shown = await one.call("getSigningRequest", requestId=event.data["requestId"])
    assert [signer["joined"] for signer in shown["signers"] if not signer["own"]] == [True]


async def test_an_abort_flood_ends_one_request_and_nothing_else(world: World) -> None:
    one, two = await world.grow(2)
    mallory = Mallory(world)
    mallory.advertise()
    mine = await asked(one, [one.key, mallory.key])
    await mallory.hears(Request)
    own = mallory.join(mine)
    mallory.say(one.peer, own)
    aborts = [mallory.abort(session_id(mine.id, attempt), own.id) for attempt in range(1, 6)] * 20
    other = await announce(one, [one, two])
    mallory.say(one.peer, *aborts)
    await join(two, other["requestId"])
    assert await signatures(one, other["requestId"]) == await signatures(two, other["requestId"])
    shown = await one.call("getSigningRequest", requestId=mine.id.hex())
    assert shown["state"] == "failed"


async def test_replayed_frames_change_nothing(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request)
    found = await signatures(one, request)
    await signatures(two, request)
    events = len(one.told()), len(two.told())
    spy = Mallory(world)
    replay = [(to, data) for _, to, data in world.hub.carried]
    for to, data in replay:
        world.hub.connect(spy.peer, to)
        spy.net.send(to, [data])
    for daemon in (one, two):
        spy.say(daemon.peer, Fetch((spy.delegation().envelope,)))
    fresh = (await announce(one, [one, two]))["requestId"]
    await join(two, fresh)
    await signatures(one, fresh)
    about = [event for event in one.told()[events[0] :] if event.data.get("requestId") == request]
    assert about == []
    assert await signatures(one, request) == found
