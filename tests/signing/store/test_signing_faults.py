"""Loss, delay, partitions, restarts, and signers that are away: every session ends, most with a signature."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from musig2.protocol.records.records import Message
from musig2.protocol.wire.frame_codec import open_frame
from musig2.protocol.wire.frames import Fetch, Signed
from tests.signing.memory_net import Hub
from tests.signing.signing_world import Daemon, World, announce, join, signatures
from tests.signing.wire_watch import assert_nonces_used_once

MakeWorld = Callable[..., World]


async def assert_all_sign(daemons: list[Daemon]) -> None:
    request = (await announce(daemons[0], daemons))["requestId"]
    await asyncio.gather(*(join(daemon, request) for daemon in daemons[1:]))
    found = await asyncio.gather(*(signatures(daemon, request) for daemon in daemons))
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize("seed", range(3))
async def test_a_fifth_of_all_frames_lost_costs_no_session(make_world: MakeWorld, seed: int) -> None:
    world = make_world(hub=Hub(seed=seed, loss=0.2, duplication=0.1))
    await assert_all_sign(await world.grow(3))
    assert_nonces_used_once(world.hub)


async def test_long_and_uneven_delays_cost_no_session(make_world: MakeWorld) -> None:
    world = make_world(hub=Hub(delay_ms=(50, 300), duplication=0.2))
    await assert_all_sign(await world.grow(3))
    assert_nonces_used_once(world.hub)


@pytest.mark.parametrize("seq", [1, 2])
async def test_a_partition_that_heals_costs_no_session(world: World, seq: int) -> None:
    """Cut when the first nonce (seq 1) or partial signature (seq 2) is on its way, which is then lost."""
    daemons = await world.grow(3)
    cut = asyncio.Event()

    def watch(sender: bytes, receiver: bytes, data: bytes) -> None:
        frame = open_frame(data, max_bytes=2**20)
        message = frame.record if isinstance(frame, Signed) else None
        if not cut.is_set() and isinstance(message, Message) and message.seq == seq:
            cut.set()
            world.hub.partition([daemons[0].peer], [daemon.peer for daemon in daemons[1:]])

    world.hub.watch = watch
    request = (await announce(daemons[0], daemons))["requestId"]
    for daemon in daemons[1:]:
        await join(daemon, request)
    await cut.wait()
    await daemons[0].until("session:participant-disconnected", requestId=request)
    world.hub.heal()
    found = [await signatures(daemon, request) for daemon in daemons]
    assert all(one == found[0] for one in found)
    shown = [await daemon.call("getSigningRequest", requestId=request) for daemon in daemons]
    assert all(one["attempt"] == 1 for one in shown)


async def test_a_partition_that_does_not_heal_ends_with_who_was_missing(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two], roundMs=1_000, autoAdvance=False)
    request, session = announced["requestId"], announced["sessionId"]
    await join(two, request, autoAdvance=False)
    await one.until("session:ready", requestId=request)
    await one.call("startRound1", sessionId=session)
    world.hub.partition([one.peer], [two.peer])
    event = await one.until("session:aborted", requestId=request)
    assert event.data["reason"] == "timeout_round1"
    assert (event.data["missing"], event.data["culprits"]) == ([two.key.hex()], [])
    shown = await one.call("getSession", sessionId=session)
    assert (shown["phase"], shown["reason"], shown["missing"]) == ("aborted", "timeout_round1", [two.key.hex()])


async def test_a_request_nobody_joins_expires(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two], ttl=1_000))["requestId"]
    await one.until("signing-request:expired", requestId=request)
    await two.until("signing-request:expired", requestId=request)
    assert (await two.call("getSigningRequest", requestId=request))["state"] == "expired"
    assert (await one.until("session:aborted", requestId=request)).data["reason"] in ("timeout_joining", "expired")


async def test_a_signer_that_was_offline_finds_the_request_when_it_is_back(world: World) -> None:
    one, two = await world.grow(2)
    await two.stop()
    request = (await announce(one, [one, two]))["requestId"]
    await world.book.noticed.wait()
    await two.start()
    await join(two, request)
    assert await signatures(one, request) == await signatures(two, request)


async def test_a_signer_that_nobody_can_dial_fetches_the_request_by_its_notice(world: World) -> None:
    """The creator knows no address of it; it recognises its key in the notice and dials the creator."""
    one, two = await world.grow(2)
    world.book.peers.pop(two.key)
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request)
    assert await signatures(one, request) == await signatures(two, request)
    assert all(two.key not in notice.envelope for notice in world.book.notices)


async def test_a_refresh_asks_again_after_a_missed_answer(make_world: MakeWorld) -> None:
    world = make_world()
    one, two = await world.grow(2)
    world.book.peers.pop(two.key)
    world.hub.loss = 1.0
    lost = asyncio.create_task(world.hub.passed(lambda frame: isinstance(frame, Fetch)))
    request = (await announce(one, [one, two]))["requestId"]
    await lost
    world.hub.loss = 0.0
    await two.call("findSigningRequestsForMe", refresh=True)
    await join(two, request)
    assert await signatures(one, request) == await signatures(two, request)


async def test_two_signers_that_cannot_dial_each_other_meet_through_the_third(world: World) -> None:
    daemons = await world.grow(3)
    world.hub.unreachable.add(frozenset((daemons[1].peer, daemons[2].peer)))
    await assert_all_sign(daemons)


@pytest.mark.parametrize("away", [0, 1])
async def test_a_daemon_that_restarts_between_joins_goes_on(world: World, away: int) -> None:
    daemons = await world.grow(3)
    request = (await announce(daemons[0], daemons))["requestId"]
    await join(daemons[1], request)
    await daemons[away].stop()
    await daemons[away].start()
    await join(daemons[2], request)
    found = [await signatures(daemon, request) for daemon in daemons]
    assert all(one == found[0] for one in found)


async def test_a_stopped_round_is_tried_again_automatically(world: World) -> None:
    """Stopped with a nonce out and no partial: the nonce is lost, the attempt ends, the next one begins by itself."""
    one, two = await world.grow(2)
    announced = await announce(one, [one, two], autoAdvance=False)
    await join(two, announced["requestId"], autoAdvance=False)
    await one.until("session:ready", requestId=announced["requestId"])
    await one.call("startRound1", sessionId=announced["sessionId"])
    await one.stop()
    await one.start()
    event = await one.until("session:aborted", requestId=announced["requestId"])
    assert (event.data["reason"], event.data["retrying"]) == ("nonce_lost", True)
    await one.until("session:ready", requestId=announced["requestId"], attempt=2)
    session = (await one.call("getSigningRequest", requestId=announced["requestId"]))["sessionId"]
    for daemon in (one, two):
        await daemon.until("session:ready", sessionId=session)
        await daemon.call("startRound1", sessionId=session)
        await daemon.call("startRound2", sessionId=session)
    assert await signatures(one, announced["requestId"]) == await signatures(two, announced["requestId"])
    assert_nonces_used_once(world.hub)


async def test_a_daemon_that_stops_in_a_round_tells_the_others(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two], autoAdvance=False)
    await join(two, announced["requestId"], autoAdvance=False)
    await one.until("session:ready", requestId=announced["requestId"])
    await one.call("startRound1", sessionId=announced["sessionId"])
    await one.stop()
    event = await two.until("session:aborted", requestId=announced["requestId"])
    assert (event.data["reason"], event.data["culprits"]) == ("aborted_by_signer", [])


async def test_a_finished_signature_reaches_a_signer_that_was_away_at_the_end(world: World) -> None:
    daemons = await world.grow(3)
    request = (await announce(daemons[0], daemons))["requestId"]
    for daemon in daemons[1:]:
        await join(daemon, request, autoAdvance=daemon is not daemons[2])
    session = (await daemons[2].until("session:ready", requestId=request)).data["sessionId"]
    await daemons[2].call("startRound1", sessionId=session)
    await daemons[2].until("round1:complete", sessionId=session)
    world.hub.partition([daemons[2].peer], [daemons[0].peer])
    world.hub.partition([daemons[2].peer], [daemons[1].peer])
    await daemons[2].call("startRound2", sessionId=session)
    world.hub.heal()
    found = [await signatures(daemon, request) for daemon in daemons]
    assert all(one == found[0] for one in found)


async def test_the_answer_about_a_finished_request_comes_from_the_store(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request)
    await signatures(one, request)
    await signatures(two, request)
    await one.stop()
    await one.start()
    shown = await one.call("getFinalSignature", requestId=request)
    assert shown["signatures"] == await signatures(two, request)


async def test_a_restore_abandons_every_open_attempt(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    await two.until("signing-request:received", requestId=request)
    await one.store.write(
        lambda conn: conn.execute("INSERT INTO meta (name, value) VALUES ('burn_open_attempts', X'01')")
    )
    await one.stop()
    await one.start()
    event = await one.until("session:aborted", requestId=request)
    assert event.data["reason"] == "nonce_lost"
    await join(two, request)
    assert await signatures(one, request) == await signatures(two, request)
    assert (await one.call("getSigningRequest", requestId=request))["attempt"] == 2
    marks = one.store.read(lambda conn: conn.execute("SELECT count(*) FROM meta WHERE name LIKE 'burn%'").fetchone())
    assert marks == (0,)
