"""Wallets that share one daemon, each with a token for its own key: they sign together and see only their own."""

from __future__ import annotations

import os
from typing import Any

import pytest

from rpc.caller import Caller, Scope
from rpc.errors import ApiError
from rpc.events.filter import Selection
from tests.signing.signing_world import Daemon, World


@pytest.fixture
async def both(world: World) -> Daemon:
    return await world.add(keys=2)


def tenant(key: bytes) -> Caller:
    return Caller(f"of {key.hex()[:8]}", frozenset({Scope.READ, Scope.SIGN}), frozenset({key}), create_key=False)


def heard(daemon: Daemon, caller: Caller) -> list[tuple[str, dict[str, Any]]]:
    """What that caller's subscription tells it."""
    choice = Selection(caller, lambda token: ())
    return [(event.event, dict(choice.shown(event).data)) for event in daemon.told() if choice.takes(event)]


async def asked(both: Daemon) -> tuple[bytes, bytes, dict[str, Any]]:
    mine, his = sorted(both.keystore.keys())
    answer = await both.call(
        "announceSigningRequest",
        tenant(mine),
        publicKey=mine.hex(),
        requiredPublicKeys=[mine.hex(), his.hex()],
        message=os.urandom(32).hex(),
    )
    return mine, his, answer


async def test_the_other_tenant_receives_the_request_and_the_creator_hears_of_its_join(both: Daemon) -> None:
    mine, his, answer = await asked(both)
    received = [data for name, data in heard(both, tenant(his)) if name == "signing-request:received"]

    await both.call("joinSigningRequest", tenant(his), requestId=answer["requestId"], publicKey=his.hex())
    final = await both.call("getFinalSignature", tenant(his), requestId=answer["requestId"], waitMs=60_000)

    joined = [data for name, data in heard(both, tenant(mine)) if name == "participant:joined"]
    assert [data["requestId"] for data in received] == [answer["requestId"]]
    assert [data["publicKey"] for data in joined] == [his.hex()]
    assert final == await both.call("getFinalSignature", tenant(mine), requestId=answer["requestId"])


async def test_a_tenant_that_has_not_joined_is_told_that_the_signature_waits_for_its_join(both: Daemon) -> None:
    _, his, answer = await asked(both)
    for named in ({"requestId": answer["requestId"]}, {"sessionId": answer["sessionId"]}):
        with pytest.raises(ApiError) as caught:
            await both.call("getFinalSignature", tenant(his), **named)
        data = caught.value.data
        assert (data["phase"], data["waitingFor"]) == ("joining", [his.hex()])
        assert data["waitingForCall"] == "joinSigningRequest"


async def test_a_tenant_sees_the_session_that_it_has_not_joined_yet(both: Daemon) -> None:
    _, his, answer = await asked(both)
    shown = await both.call("getSession", tenant(his), sessionId=answer["sessionId"])
    assert (shown["phase"], shown["partialReleased"]) == ("joining", False)


async def test_a_tenant_that_has_not_joined_hears_how_the_request_failed(both: Daemon) -> None:
    mine, his, answer = await asked(both)
    await both.call("abortSession", tenant(mine), sessionId=answer["sessionId"])
    ends = [data for name, data in heard(both, tenant(his)) if name == "session:aborted"]
    assert [(data["reason"], data["by"], data["retrying"]) for data in ends] == [
        ("aborted_by_owner", mine.hex(), False)
    ]


async def test_keys_of_other_tenants_look_like_keys_of_strangers(both: Daemon) -> None:
    mine, his, answer = await asked(both)
    await both.call("joinSigningRequest", tenant(his), requestId=answer["requestId"], publicKey=his.hex())
    await both.call("getFinalSignature", tenant(his), requestId=answer["requestId"], waitMs=60_000)

    shown = await both.call("getSigningRequest", tenant(mine), requestId=answer["requestId"])
    owned = await both.call("getSigningRequest", requestId=answer["requestId"])
    told = [data for _, data in heard(both, tenant(mine))]

    assert [signer["publicKey"] for signer in shown["signers"] if signer["own"]] == [mine.hex()]
    assert [signer["own"] for signer in owned["signers"]] == [True, True]
    assert all(data["publicKeys"] == [mine.hex()] for data in told)
    assert not [
        s
        for data in told
        if "request" in data
        for s in data["request"]["signers"]
        if s["own"] != (s["publicKey"] == mine.hex())
    ]


async def test_a_session_in_which_only_the_other_has_acted_cannot_be_driven(both: Daemon) -> None:
    _, his, answer = await asked(both)
    with pytest.raises(ApiError) as refused:
        await both.call("startRound1", tenant(his), sessionId=answer["sessionId"])
    assert refused.value.reason == "not_found"
