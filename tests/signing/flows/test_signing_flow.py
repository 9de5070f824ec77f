"""Announce, join, sign: the whole way on a network in memory."""

from __future__ import annotations

import pytest

from tests.signing.signing_world import World, announce, join, signatures

ORDER = ["round2:complete", "signature:finalized", "session:complete"]


@pytest.mark.parametrize("name", ["lotus", "bip340"])
@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("messages", [1, 3])
async def test_signers_that_all_join_get_the_same_valid_signatures(
    world: World, name: str, count: int, messages: int
) -> None:
    daemons = await world.grow(count, name)
    request = (await announce(daemons[0], daemons, messages))["requestId"]
    for daemon in daemons[1:]:
        await join(daemon, request)
    found = [await signatures(daemon, request) for daemon in daemons]
    assert all(one == found[0] for one in found)
    assert len(found[0]) == messages


@pytest.mark.parametrize("name", ["lotus", "bip340"])
async def test_rounds_wait_for_the_wallet_without_auto_advance(world: World, name: str) -> None:
    one, two = await world.grow(2, name)
    announced = await announce(one, [one, two], autoAdvance=False)
    request, session = announced["requestId"], announced["sessionId"]
    await join(two, request, autoAdvance=False)
    for daemon in (one, two):
        await daemon.until("session:ready", sessionId=session)
        assert (await daemon.call("getSession", sessionId=session))["phase"] == "ready"
        await daemon.call("startRound1", sessionId=session)
    for daemon in (one, two):
        await daemon.until("round1:complete", sessionId=session)
        assert not daemon.told("signature:finalized")
        await daemon.call("startRound2", sessionId=session, publicKey=daemon.key.hex())
    assert await signatures(one, request) == await signatures(two, request)


async def test_rounds_called_too_early_are_remembered(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two], autoAdvance=False)
    await one.call("startRound1", sessionId=announced["sessionId"])
    await one.call("startRound2", sessionId=announced["sessionId"])
    await join(two, announced["requestId"])
    assert await signatures(one, announced["requestId"]) == await signatures(two, announced["requestId"])


async def test_two_keys_of_one_daemon_and_one_elsewhere_sign_together(world: World) -> None:
    both = await world.add(keys=2)
    other = await world.add()
    own = both.keystore.keys()
    request = (
        await both.call(
            "announceSigningRequest",
            publicKey=own[0].hex(),
            requiredPublicKeys=[key.hex() for key in (*own, other.key)],
            message="11" * 32,
        )
    )["requestId"]
    await both.call("joinSigningRequest", requestId=request, publicKey=own[1].hex())
    await join(other, request)
    assert await signatures(both, request) == await signatures(other, request)


async def test_events_of_a_signature_come_in_the_documented_order(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request)
    for daemon in (one, two):
        await signatures(daemon, request)
        await daemon.until("session:complete")
        names = [event.event for event in daemon.told() if event.event in ORDER]
        assert names == ORDER
        assert all(event.data["requestId"] == request for event in daemon.told(ORDER[1]))


async def test_sessions_on_the_same_keys_and_message_are_independent(world: World) -> None:
    one, two = await world.grow(2)
    params = {"publicKey": one.key.hex(), "requiredPublicKeys": [one.key.hex(), two.key.hex()], "message": "22" * 32}
    requests = [(await one.call("announceSigningRequest", **params))["requestId"] for _ in range(5)]
    assert len(set(requests)) == 5
    for request in reversed(requests):
        await join(two, request)
    found = [await signatures(one, request) for request in requests]
    assert len({one[0] for one in found}) == 5
