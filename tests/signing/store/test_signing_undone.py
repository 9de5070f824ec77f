"""What could not be stored was not sent and can be repeated; a call that ends on the way is answered."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from daemon.signing.limits import SigningLimits
from daemon.store.errors import StoreClosed
from musig2 import SecretKey, scheme
from musig2.protocol.blame.evidence import verify_evidence
from musig2.protocol.interface.inputs import Received
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import AbortBody, Cancel, Join, Message, Request
from musig2.protocol.records.requests import ToSign, build_request
from musig2.protocol.wire.frame_codec import open_frame
from musig2.protocol.wire.frames import Signed
from rpc.errors import ApiError
from tests.signing.signing_world import Daemon, World, announce, join, signatures
from tests.signing.store.test_signing_store import on_faulty_disk

MakeWorld = Callable[..., World]


def said_by(daemon: Daemon, kind: type[Any]) -> list[Signed[Any]]:
    """The records of a kind that this daemon sent."""
    carried = [data for sender, _, data in daemon.world.hub.carried if sender == daemon.peer]
    frames = (open_frame(data, max_bytes=2**20) for data in carried)
    return [frame for frame in frames if isinstance(frame, Signed) and isinstance(frame.record, kind)]


async def something_waits(daemon: Daemon) -> None:
    """Return when something is in the engine's inbox."""
    while not daemon.service.engine.waiting:  # noqa: ASYNC110 - the engine's own event is for its loop
        await asyncio.sleep(0)


async def test_a_request_that_cannot_be_stored_is_not_shown_to_a_peer_that_comes_up_meanwhile(world: World) -> None:
    one, two = await world.grow(2)
    disk = await on_faulty_disk(one)
    world.hub.connect(one.peer, two.peer)
    disk.broken = lambda conn: True
    asked = asyncio.create_task(announce(one, [one, two]))
    await something_waits(one)
    one.service.traffic.on_connected(two.peer)
    with pytest.raises(ApiError, match="could not be stored"):
        await asked
    assert said_by(one, Request) == said_by(one, Join) == []


async def test_a_join_that_cannot_be_stored_is_shown_to_nobody_and_can_be_made_again(world: World) -> None:
    one, two, three = await world.grow(3)
    disk = await on_faulty_disk(two)
    request = (await announce(one, [one, two, three]))["requestId"]
    await two.until("signing-request:received", requestId=request)
    disk.broken = lambda conn: True
    with pytest.raises(ApiError, match="could not be stored"):
        await two.call("joinSigningRequest", requestId=request, publicKey=two.key.hex())
    await join(three, request)
    await one.until("participant:joined", requestId=request)
    assert said_by(two, Join) == []
    disk.broken = lambda conn: False
    await join(two, request)
    assert await signatures(one, request) == await signatures(two, request) == await signatures(three, request)
    assert len({frame.id for frame in said_by(two, Join)}) == 1


async def test_an_own_key_that_is_used_elsewhere_is_paused_though_the_disk_fails(world: World) -> None:
    one, two = await world.grow(2)
    disk = await on_faulty_disk(one)
    request = bytes.fromhex((await announce(one, [one, two]))["requestId"])
    twin = PeerIdentity(os.urandom(32))
    record = Join("lotus", request, 1, one.key, twin.peer, (), world.clock.wall_ms())
    elsewhere = seal(record, lambda digest: one.keystore.sign(one.key, digest), twin.sign)
    failures = iter([True, True])
    disk.broken = lambda conn: next(failures, False)
    one.service.traffic.on_frames([(two.peer, elsewhere)])
    told = await one.until("session:aborted", requestId=request.hex())
    assert told.data["reason"] == "join_conflict"
    assert one.keystore.info(one.key).paused


async def test_the_evidence_of_a_join_conflict_holds_both_joins(world: World) -> None:
    one, two, three = await world.grow(3)
    request = (await announce(one, [one, two, three]))["requestId"]
    await join(two, request)
    await one.until("participant:joined", requestId=request)
    (first, *_) = said_by(two, Join)
    twin = PeerIdentity(os.urandom(32))
    second = seal(replace(first.record, peer=twin.peer), lambda digest: two.keystore.sign(two.key, digest), twin.sign)
    one.service.traffic.on_frames([(two.peer, second)])
    told = await one.until("session:aborted", requestId=request)
    shown = await one.call("getEvidence", sessionId=told.data["sessionId"])
    proof = [bytes.fromhex(envelope) for envelope in shown["evidence"]]
    assert {first.envelope, second.envelope} <= set(proof)
    assert verify_evidence(bytes.fromhex(shown["request"]), proof) == [(two.key, "join_conflict")]


async def test_a_call_before_the_requests_are_loaded_again_leaves_none_without_its_timers(world: World) -> None:
    one, two = await world.grow(2)
    requests = [(await announce(one, [one, two]))["requestId"] for _ in range(60)]
    await two.stop()
    await one.stop()
    await one.start()
    roster = one.service.engine._roster
    assert roster.get(bytes.fromhex(requests[-1])) is None
    one.keystore.lock()
    with pytest.raises(ApiError, match="unlock"):
        await one.call("joinSigningRequest", requestId=requests[-1], publicKey=one.key.hex())
    while one.service.engine.waiting:
        await one.service.engine.turned()
    wakes = [roster.get(bytes.fromhex(request)).machine.next_wakeup_ms() for request in requests]  # type: ignore[union-attr]  # all are there
    assert None not in wakes


async def test_queued_work_is_done_when_the_daemon_stops(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two], autoAdvance=False))["requestId"]
    session = (await join(two, request, autoAdvance=False))["sessionId"]
    await one.until("session:ready", requestId=request)
    await one.call("startRound1", sessionId=session)
    calls = [asyncio.create_task(announce(one, [one, two]))]
    await something_waits(one)
    calls.append(asyncio.create_task(one.call("startRound2", sessionId=session)))
    await one.stop()
    asked, started = await asyncio.gather(*calls, return_exceptions=True)  # a late answer may find the store closed
    assert isinstance(asked, dict)
    assert "requestId" in asked
    assert isinstance(started, dict | StoreClosed)
    bodies = [frame.record.body for frame in said_by(one, Message)]
    assert any(isinstance(body, AbortBody) and body.reason == "nonce_lost" for body in bodies)


async def test_a_request_and_its_cancel_cost_their_peer_its_share(make_world: MakeWorld) -> None:
    world = make_world(limits=SigningLimits(first_pause_ms=20, unsolicited_per_peer=10, idle_ms=0))
    (one,) = await world.grow(1)
    mallory, peer = SecretKey.generate(), PeerIdentity(os.urandom(32)).peer
    sign = lambda digest: scheme("lotus").schnorr_sign(mallory, digest)  # noqa: E731 - used twice below
    for _ in range(3):
        for _ in range(10):
            now = world.clock.wall_ms()
            request = seal(
                build_request(
                    scheme_name="lotus",
                    pubkeys=sorted([mallory.pubkey, one.key]),
                    to_sign=[ToSign(os.urandom(32))],
                    creator=mallory.pubkey,
                    created=now,
                    expires=now + 3_600_000,
                    round_ms=1_000,
                    max_attempts=1,
                    salt=os.urandom(16),
                    election=None,
                    metadata={},
                ),
                sign,
            )
            cancel = seal(Cancel("lotus", request.id, mallory.pubkey, "", now), sign)
            one.service.traffic.on_frames([(peer, request), (peer, cancel)])
        while one.service.engine.waiting:
            await one.service.engine.turned()
        one.service.sweeper.sweep()
        await one.service.engine.turned()
    assert one.store.read(lambda conn: conn.execute("SELECT count(*) FROM signing_requests").fetchone()[0]) == 10


async def test_a_decline_that_comes_too_late_says_how_the_request_ended(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    await two.until("signing-request:received", requestId=request)
    record = Cancel("lotus", bytes.fromhex(request), one.key, "", world.clock.wall_ms())
    cancel = seal(record, lambda digest: one.keystore.sign(one.key, digest))
    two.service.engine.feed(bytes.fromhex(request), Received(cancel, one.peer))
    with pytest.raises(ApiError, match="cancelled"):
        await two.call("declineSigningRequest", requestId=request, publicKey=two.key.hex())
