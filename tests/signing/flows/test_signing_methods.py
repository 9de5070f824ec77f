"""The RPC methods of requests and sessions: what they show and refuse, and to which token."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from musig2.protocol.blame.evidence import verify_evidence
from rpc.caller import Caller, Scope, owner
from rpc.errors import ApiError
from tests.refusals import places_of
from tests.signing.signing_world import Daemon, World, announce, join, signatures

PLAIN_TWEAK = {"tweak": "01" * 32, "xOnly": False}
METADATA = {
    "transactionHex": "00",
    "spentOutputs": [{"value": 5, "script": "51", "note": "mine"}],
    "sighashType": 97,
    "amount": 5_000_000,
    "purpose": "tests",
    "ownThing": {"list": [1, "zwei", None, True]},
}


async def refused(daemon: Daemon, method: str, **params: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await daemon.call(method, **params)
    return caught.value


async def test_metadata_is_carried_as_it_is(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two], metadata=METADATA))["requestId"]
    event = await two.until("signing-request:received", requestId=request)
    assert event.data["request"]["metadata"] == METADATA
    assert (await two.call("getSigningRequest", requestId=request))["metadata"] == METADATA


async def test_required_keys_are_shown_in_the_order_given(world: World) -> None:
    daemons = await world.grow(3)
    keys = sorted((daemon.key.hex() for daemon in daemons), reverse=True)
    announced = await daemons[0].call(
        "announceSigningRequest", publicKey=daemons[0].key.hex(), requiredPublicKeys=keys, message="aa" * 32
    )
    assert announced["request"]["requiredPublicKeys"] == keys
    (item,) = announced["request"]["messages"]
    assert (item["message"], item["tweaks"]) == ("aa" * 32, [])
    assert (item["checked"], item["uncheckedReason"]) == (False, "no_transaction")


async def test_a_new_request_shows_who_has_joined_and_who_was_reached(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    await two.until("signing-request:received", requestId=announced["requestId"])
    shown = await one.call("getSigningRequest", requestId=announced["requestId"])
    signers = {signer["publicKey"]: signer for signer in shown["signers"]}
    mine, other = signers[one.key.hex()], signers[two.key.hex()]
    assert (mine["own"], mine["joined"], mine["delivered"]) == (True, True, True)
    assert (other["own"], other["joined"], other["delivered"]) == (False, False, True)
    assert (shown["state"], shown["attempt"]) == ("open", 1)
    assert shown["sessionId"] == announced["sessionId"]


async def test_the_default_election_is_lexicographic_and_null_means_none(world: World) -> None:
    one, two = await world.grow(2)
    plain = (await announce(one, [one, two]))["request"]
    none = (await announce(one, [one, two], election=None))["request"]
    assert plain["election"] == {"method": "lexicographic", "broadcastTimeoutMs": 300_000}
    assert "election" not in none


async def test_lists_show_open_requests_newest_first_in_pages(world: World) -> None:
    one, two = await world.grow(2)
    requests = [(await announce(one, [one, two]))["requestId"] for _ in range(5)]
    first = await one.call("findSigningRequestsForMe", limit=3)
    rest = await one.call("findSigningRequestsForMe", limit=3, cursor=first["nextCursor"])
    assert [r["requestId"] for r in (*first["requests"], *rest["requests"])] == requests[::-1]
    assert "nextCursor" not in rest
    sessions = await one.call("listSessions", limit=4)
    more = await one.call("listSessions", limit=4, cursor=sessions["nextCursor"])
    assert len(sessions["sessions"]) == 4
    assert [session["requestId"] for session in more["sessions"]] == [requests[0]]


async def test_lists_filter_by_state_phase_and_key(world: World) -> None:
    one, two = await world.grow(2)
    done = (await announce(one, [one, two]))["requestId"]
    await join(two, done)
    await signatures(one, done)
    still = (await announce(one, [one, two]))["requestId"]
    assert [r["requestId"] for r in (await one.call("findSigningRequestsForMe", state="complete"))["requests"]] == [
        done
    ]
    assert [r["requestId"] for r in (await one.call("findSigningRequestsForMe"))["requests"]] == [still]
    complete = await one.call("listSessions", phase="complete", publicKey=one.key.hex())
    assert [session["requestId"] for session in complete["sessions"]] == [done]
    assert (await one.call("listSessions", publicKey=two.key.hex()))["sessions"] == []


async def test_a_declined_request_ends_for_all(world: World) -> None:
    daemons = await world.grow(3)
    request = (await announce(daemons[0], daemons))["requestId"]
    await daemons[1].until("signing-request:received", requestId=request)
    await daemons[1].call("declineSigningRequest", requestId=request, publicKey=daemons[1].key.hex(), reason="too much")
    for daemon in daemons:
        event = await daemon.until("signing-request:declined", requestId=request)
        assert (event.data["publicKey"], event.data["reason"]) == (daemons[1].key.hex(), "too much")
        assert (await daemon.call("getSigningRequest", requestId=request))["state"] == "declined"
        error = await refused(daemon, "getFinalSignature", requestId=request)
        assert (error.reason, error.data["publicKey"]) == ("declined", daemons[1].key.hex())
    error = await refused(daemons[2], "joinSigningRequest", requestId=request, publicKey=daemons[2].key.hex())
    assert error.reason == "declined"


async def test_a_cancelled_request_ends_for_all_and_only_its_creator_cancels(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    await two.until("signing-request:received", requestId=request)
    assert (await refused(two, "cancelSigningRequest", requestId=request)).reason == "forbidden"
    shown = await one.call("cancelSigningRequest", requestId=request, reason="changed my mind")
    assert shown["state"] == "cancelled"
    assert (await two.until("signing-request:cancelled", requestId=request)).data["reason"] == "changed my mind"


async def test_an_aborted_session_says_so_to_everybody(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    await join(two, announced["requestId"], autoAdvance=False)
    await one.until("session:ready", requestId=announced["requestId"])
    shown = await two.call("abortSession", sessionId=announced["sessionId"], reason="no time")
    assert (shown["phase"], shown["reason"]) == ("aborted", "aborted_by_owner")
    event = await one.until("session:aborted", requestId=announced["requestId"], retrying=False)
    assert event.data["reason"] == "aborted_by_signer"
    error = await refused(one, "getFinalSignature", sessionId=announced["sessionId"])
    assert error.reason == "aborted"


async def test_an_unfinished_signature_names_the_phase_and_who_is_waited_for(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    error = await refused(one, "getFinalSignature", sessionId=announced["sessionId"])
    assert error.reason == "not_ready"
    assert (error.data["phase"], error.data["waitingFor"]) == ("joining", [two.key.hex()])


async def test_an_unfinished_signature_says_what_the_own_wallet_has_not_called(world: World) -> None:
    one, two = await world.grow(2)
    mine, other = one.key.hex(), two.key.hex()
    announced = await announce(one, [one, two], autoAdvance=False)
    named = {"requestId": announced["requestId"]}
    await two.until("signing-request:received", **named)
    assert await waits(two, **named) == ("joining", [other], "joinSigningRequest")
    await join(two, announced["requestId"])
    for daemon in (one, two):
        await daemon.until("session:ready", **named)
    phase, late, call = await waits(one, **named)
    assert (phase, call) == ("ready", "startRound1")
    assert mine in late
    assert (await one.call("getSession", sessionId=announced["sessionId"]))["phase"] == "ready"
    for wanted, found in (("ready", [announced["sessionId"]]), ("joining", [])):
        listed = (await one.call("listSessions", phase=wanted))["sessions"]
        assert [session["sessionId"] for session in listed] == found
    assert await waits(two, **named) == ("round1", [mine], None)
    await one.call("startRound1", sessionId=announced["sessionId"])
    await one.until("round1:complete", **named)
    await two.until("round1:complete", **named)
    phase, late, call = await waits(one, **named)
    assert (phase, call) == ("round1", "startRound2")
    assert mine in late
    await one.call("startRound2", sessionId=announced["sessionId"])
    await signatures(one, announced["requestId"])


async def test_a_wallet_that_cancels_the_request_of_another_is_refused_with_the_reason(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    await two.until("signing-request:received", requestId=announced["requestId"])
    bound = Caller("t1", frozenset({Scope.READ, Scope.SIGN}), frozenset({two.key}), create_key=False)
    for caller in (owner(), bound):
        with pytest.raises(ApiError, match="Only its creator") as caught:
            await two.call("cancelSigningRequest", caller, requestId=announced["requestId"])
        assert (caught.value.reason, caught.value.data["publicKey"]) == ("forbidden", one.key.hex())


async def waits(daemon: Daemon, **named: str) -> tuple[Any, Any, Any]:
    error = await refused(daemon, "getFinalSignature", **named)
    assert error.reason == "not_ready"
    return error.data["phase"], error.data["waitingFor"], error.data.get("waitingForCall")


async def test_closed_sessions_leave_the_lists_and_keep_their_signature(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    await join(two, announced["requestId"])
    found = await signatures(one, announced["requestId"])
    await one.call("closeSession", sessionId=announced["sessionId"])
    await one.until("session:closed", sessionId=announced["sessionId"])
    assert (await one.call("listSessions"))["sessions"] == []
    assert await signatures(one, announced["requestId"]) == found


async def test_closing_an_open_session_ends_it(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    await two.until("signing-request:received", requestId=announced["requestId"])
    await one.call("closeSession", sessionId=announced["sessionId"])
    assert (await one.call("getSession", sessionId=announced["sessionId"]))["reason"] == "aborted_by_owner"


async def test_requests_of_other_keys_do_not_exist_for_a_token(world: World) -> None:
    both = await world.add(keys=2)
    other = await world.add()
    mine, his = both.keystore.keys()
    announced = await announce(both, [both, other])
    stranger = Caller("t", frozenset(Scope), frozenset({his if both.key == mine else mine}), create_key=False)
    for method, params in [
        ("getSigningRequest", {"requestId": announced["requestId"]}),
        ("getSession", {"sessionId": announced["sessionId"]}),
        ("getFinalSignature", {"requestId": announced["requestId"]}),
        ("abortSession", {"sessionId": announced["sessionId"]}),
        ("cancelSigningRequest", {"requestId": announced["requestId"]}),
    ]:
        with pytest.raises(ApiError) as caught:
            await both.call(method, stranger, **params)
        assert caught.value.reason == "not_found"
    assert (await both.call("findSigningRequestsForMe", stranger))["requests"] == []
    assert (await both.call("listSessions", stranger))["sessions"] == []


async def test_a_session_nobody_here_has_joined_can_be_looked_at(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    await two.until("participant:joined", requestId=announced["requestId"])
    shown = await two.call("getSession", sessionId=announced["sessionId"])
    joined = {signer["publicKey"]: signer["joined"] for signer in shown["signers"]}
    assert (shown["phase"], joined) == ("joining", {one.key.hex(): True, two.key.hex(): False})
    assert (await refused(two, "startRound1", sessionId=announced["sessionId"])).reason == "not_found"


async def test_joining_with_a_key_that_is_not_asked_is_refused(world: World) -> None:
    one, two = await world.grow(2)
    spare = await two.new_key("lotus")
    request = (await announce(one, [one, two]))["requestId"]
    await two.until("signing-request:received", requestId=request)
    error = await refused(two, "joinSigningRequest", requestId=request, publicKey=spare.hex())
    assert error.reason == "key_not_required"
    error = await refused(two, "joinSigningRequest", requestId="00" * 32, publicKey=two.key.hex())
    assert error.reason == "not_found"


@pytest.mark.parametrize(
    ("params", "reason", "path"),
    [
        ({"requiredPublicKeys": ["02" + "00" * 31 + "05"]}, "invalid_key", "requiredPublicKeys[1]"),
        (
            {"messages": [{"message": "11" * 32}, {"message": "11" * 32, "tweaks": [PLAIN_TWEAK]}]},
            "invalid_key",
            "messages[1].tweaks",
        ),
        ({"tweaks": [PLAIN_TWEAK]}, "invalid_key", "tweaks"),
        ({"metadata": {"note": ["x" * 1_900] * 40}}, "too_large", "metadata"),
    ],
)
async def test_requests_that_no_peer_would_take_are_refused_at_once(
    world: World, params: dict[str, Any], reason: str, path: str | None
) -> None:
    one, two = await world.grow(2)
    keys = [one.key.hex(), *params.pop("requiredPublicKeys", [two.key.hex()])]
    call = {"publicKey": one.key.hex(), "requiredPublicKeys": keys, **(params or {})}
    if "messages" not in call:
        call["message"] = "11" * 32
    error = await refused(one, "announceSigningRequest", **call)
    assert error.reason == reason
    assert [each["path"] for each in places_of(error)] == ([path] if path else [])


async def test_a_locked_daemon_neither_announces_nor_joins(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    await two.until("signing-request:received", requestId=announced["requestId"])
    two.keystore.lock()
    error = await refused(two, "joinSigningRequest", requestId=announced["requestId"], publicKey=two.key.hex())
    assert error.reason == "locked"
    one.keystore.lock()
    event = await one.until("session:aborted", requestId=announced["requestId"])
    assert event.data["reason"] == "locked"


async def test_repeating_a_join_changes_nothing(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request, autoAdvance=False)
    again = await join(two, request, autoAdvance=False)
    assert sorted(again["joined"]) == sorted((one.key.hex(), two.key.hex()))
    assert len(two.told("signing-request:joined")) == 1


async def test_a_session_without_culprits_has_no_evidence(world: World) -> None:
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    found = await one.call("getEvidence", sessionId=announced["sessionId"])
    assert (found["culprits"], found["evidence"]) == ([], [])
    assert verify_evidence(bytes.fromhex(found["request"]), []) == []


async def test_a_paused_key_can_still_refuse(world: World) -> None:
    one, two = await world.grow(2)
    mine = (await announce(one, [one, two]))["requestId"]
    asked = (await announce(one, [one, two]))["requestId"]
    await two.until("signing-request:received", requestId=asked)
    await one.keystore.pause(one.key)
    await two.keystore.pause(two.key)

    cancelled = await one.call("cancelSigningRequest", requestId=mine)
    declined = await two.call("declineSigningRequest", requestId=asked, publicKey=two.key.hex())

    assert (cancelled["state"], declined) == ("cancelled", {"declined": True})


async def test_a_stop_answers_calls_that_wait_for_a_signature(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    waiting = asyncio.ensure_future(one.call("getFinalSignature", requestId=request, waitMs=60_000))
    one.service.let_go()
    with pytest.raises(ApiError) as told:
        await waiting
    assert told.value.reason == "shutting_down"


async def test_closing_again_emits_nothing(world: World) -> None:
    one, two = await world.grow(2)
    session = (await announce(one, [one, two]))["sessionId"]
    for _ in range(2):
        assert (await one.call("closeSession", sessionId=session))["closed"] is True
    assert len(one.told("session:closed")) == 1
