"""Requests, sessions and errors show reasons, aggregate keys and rounds as the events do."""

from __future__ import annotations

import os
from typing import Any

import pytest

from musig2 import scheme
from rpc.errors import ApiError
from tests.refusals import places_of
from tests.signing.signing_world import Daemon, World, announce, join, signatures


async def refused(daemon: Daemon, method: str, **params: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await daemon.call(method, **params)
    return caught.value


@pytest.mark.parametrize("given", ["too much", None])
async def test_the_reason_of_a_decline_is_in_the_request_and_in_every_error(world: World, given: str | None) -> None:
    daemons = await world.grow(3)
    mine = daemons[1].key.hex()
    announced = await announce(daemons[0], daemons)
    request = announced["requestId"]
    await daemons[1].until("signing-request:received", requestId=request)
    await daemons[1].call("declineSigningRequest", requestId=request, publicKey=mine, reason=given)
    for daemon in daemons:
        await daemon.until("signing-request:declined", requestId=request)
        shown = await daemon.call("getSigningRequest", requestId=request)
        declined = {each["publicKey"]: each.get("declineReason") for each in shown["signers"] if each["declined"]}
        assert declined == {mine: given}
        assert [each["publicKey"] for each in shown["signers"] if "declineReason" in each] == ([mine] if given else [])
        named = {"requestId": request, "publicKey": daemon.key.hex()}
        for error in (
            await refused(daemon, "getFinalSignature", requestId=request),
            await refused(daemon, "joinSigningRequest", **named),
            await refused(daemon, "declineSigningRequest", **named),
        ):
            assert (error.reason, error.data["publicKey"]) == ("declined", mine)
            assert error.data.get("declineReason") == given
    error = await refused(daemons[0], "getFinalSignature", sessionId=announced["sessionId"])
    assert error.data.get("declineReason") == given


async def test_the_reason_survives_a_restart_and_is_in_lists(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    await two.until("signing-request:received", requestId=request)
    await two.call("declineSigningRequest", requestId=request, publicKey=two.key.hex(), reason="not today")
    await one.until("signing-request:declined", requestId=request)
    await one.stop()
    await one.start()
    (shown,) = (await one.call("findSigningRequestsForMe", state="declined"))["requests"]
    assert [each.get("declineReason") for each in shown["signers"] if each["declined"]] == ["not today"]


async def test_the_reason_of_a_cancel_is_in_the_request_and_in_every_error(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    await two.until("signing-request:received", requestId=request)
    await one.call("cancelSigningRequest", requestId=request, reason="changed my mind")
    await two.until("signing-request:cancelled", requestId=request)
    for daemon in (one, two):
        assert (await daemon.call("getSigningRequest", requestId=request))["cancelReason"] == "changed my mind"
        for error in (
            await refused(daemon, "getFinalSignature", requestId=request),
            await refused(daemon, "joinSigningRequest", requestId=request, publicKey=daemon.key.hex()),
        ):
            assert (error.data["publicKey"], error.data["cancelReason"]) == (one.key.hex(), "changed my mind")


async def test_the_reason_given_to_abort_is_in_the_own_event(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    await join(two, announced["requestId"], autoAdvance=False)
    await one.until("session:ready", requestId=announced["requestId"])
    await two.call("abortSession", sessionId=announced["sessionId"], reason="no time")
    event = await two.until("session:aborted", requestId=announced["requestId"], retrying=False)
    assert event.data["text"] == "no time"


GIVEN = ("message", "tweaks", "aggregatedPublicKey")
ROOTS = [None, "11" * 32, None]


def items() -> list[dict[str, Any]]:
    return [{"message": os.urandom(32).hex(), "tweaks": [{"taprootMerkleRoot": root}]} for root in ROOTS]


async def asked(one: Daemon, two: Daemon, messages: list[dict[str, Any]]) -> dict[str, Any]:
    keys = [one.key.hex(), two.key.hex()]
    return await one.call("announceSigningRequest", publicKey=keys[0], requiredPublicKeys=keys, messages=messages)


@pytest.mark.parametrize("name", ["lotus", "bip340"])
async def test_each_message_has_the_aggregate_key_that_its_signature_verifies_under(world: World, name: str) -> None:
    one, two = await world.grow(2, name)
    announced = await asked(one, two, items())
    await join(two, announced["requestId"])
    signed = await signatures(one, announced["requestId"])
    session = await two.call("getSession", sessionId=announced["sessionId"])
    final = await two.call("getFinalSignature", requestId=announced["requestId"])
    for shown in (announced["request"], session, final):
        aggregates = [item["aggregatedPublicKey"] for item in shown["messages"]]
        assert aggregates[0] == aggregates[2] == shown["aggregatedPublicKey"]
        assert aggregates[1] != aggregates[0]
        for item, signature in zip(shown["messages"], signed, strict=True):
            aggregate, message = bytes.fromhex(item["aggregatedPublicKey"]), bytes.fromhex(item["message"])
            assert scheme(name).schnorr_verify(aggregate, message, bytes.fromhex(signature))
    event = await one.until("signature:finalized", requestId=announced["requestId"])
    assert event.data["aggregatedPublicKeys"] == [item["aggregatedPublicKey"] for item in final["messages"]]


async def test_an_aggregate_key_may_be_given_and_must_then_be_right(world: World) -> None:
    one, two = await world.grow(2)
    shown = (await asked(one, two, items()))["request"]
    given = [{name: item[name] for name in GIVEN} for item in shown["messages"]]
    again = await asked(one, two, given)
    assert again["request"]["messages"] == shown["messages"]
    wrong = [given[0], {**given[1], "aggregatedPublicKey": shown["aggregatedPublicKey"]}]
    with pytest.raises(ApiError) as caught:
        await asked(one, two, wrong)
    assert places_of(caught.value)[0]["path"] == "messages[1].aggregatedPublicKey"


async def test_the_creator_may_turn_auto_advance_off_after_announcing(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    named = {"requestId": announced["requestId"]}
    joined = await one.call("joinSigningRequest", **named, publicKey=one.key.hex(), autoAdvance=False)
    assert joined["joined"] == [one.key.hex()]
    await one.call("joinSigningRequest", **named, publicKey=one.key.hex())  # says nothing of it
    await join(two, announced["requestId"])
    await one.until("session:ready", **named)
    error = await refused(one, "getFinalSignature", **named)
    assert error.data["waitingForCall"] == "startRound1"
    await one.call("joinSigningRequest", **named, publicKey=one.key.hex(), autoAdvance=True)
    await signatures(one, announced["requestId"])


async def test_turning_auto_advance_off_after_the_rounds_is_refused(world: World) -> None:
    daemons = await world.grow(3)
    announced = await announce(daemons[0], daemons)
    named = {"requestId": announced["requestId"]}
    await join(daemons[1], announced["requestId"])
    await join(daemons[2], announced["requestId"], autoAdvance=False)
    await daemons[2].until("session:ready", **named)
    await daemons[2].call("startRound1", sessionId=announced["sessionId"])
    await daemons[2].until("round1:complete", **named)
    await daemons[0].until("round1:complete", **named)
    error = await refused(daemons[0], "joinSigningRequest", **named, publicKey=daemons[0].key.hex(), autoAdvance=False)
    assert error.reason == "wrong_phase"
    held = await daemons[2].call("joinSigningRequest", **named, publicKey=daemons[2].key.hex(), autoAdvance=False)
    assert len(held["joined"]) == 3
    await daemons[2].call("startRound2", sessionId=announced["sessionId"])
    await signatures(daemons[0], announced["requestId"])
