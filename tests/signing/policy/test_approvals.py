"""Requests that wait for an owner are reported once, listed, and joined once the rule has its approvals."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from daemon.clock import SystemClock
from rpc.caller import Caller, Scope
from rpc.errors import ApiError
from rpc.events.filter import Selection
from tests.signing.flows.test_signing_checks import ask
from tests.signing.policy.test_policy_flow import explained, pay, paying, two
from tests.signing.signing_world import Daemon, World, announce, join, signatures

LARGE = '[[rule]]\nname = "large"\nverdict = "ask"\nmin_amount = 1_000\n'
FOUR_EYES = LARGE + 'approvals = {need = 2, of = ["anna", "ben"]}\n'


def token(name: str, *scopes: Scope, keys: frozenset[bytes] | None = None) -> Caller:
    return Caller(name, frozenset({Scope.READ, *scopes}), keys, create_key=False)


ANNA, BEN = token("anna#1", Scope.APPROVE), token("ben#1", Scope.APPROVE)
DRIVER = token("driver", Scope.SIGN)


async def waiting(world: World, rules: str) -> tuple[list[Daemon], str]:
    """A creator, a signer with these rules, and a request that waits at the signer."""
    signers = await two(world, rules)
    request = await pay(signers, 5_000)
    await signers[1].until("approval:needed", requestId=request)
    return signers, request


async def approve(daemon: Daemon, caller: Caller, request: str, **params: Any) -> dict[str, Any]:
    return await daemon.call("approveRequest", caller, requestId=request, publicKey=daemon.key.hex(), **params)


async def refusal(daemon: Daemon, caller: Caller, method: str, request: str) -> str:
    with pytest.raises(ApiError) as caught:
        await daemon.call(method, caller, requestId=request, publicKey=daemon.key.hex())
    return caught.value.reason


async def test_one_event_tells_the_owner_the_review_and_the_rule_that_asks(world: World) -> None:
    signers, request = await waiting(world, LARGE)
    told = signers[1].told("approval:needed")[0].data
    assert (told["rule"], told["line"], told["needed"]) == ("large", 1, 1)
    assert told["request"]["review"]["transaction"]["fee"] == 500
    for _ in range(2):
        signers[1].service.sweeper.sweep()
        await signers[1].service.engine.turned()
    await signers[1].stop()
    await signers[1].start()
    signers[1].service.sweeper.sweep()
    await signers[1].service.engine.turned()
    assert len(signers[1].told("approval:needed")) == 1
    (pending,) = (await signers[1].call("listPendingApprovals"))["pending"]
    assert (pending["publicKey"], pending["rule"], pending["line"]) == (signers[1].key.hex(), "large", 1)
    assert pending["request"]["requestId"] == request


async def test_a_token_that_only_signs_joins_what_rules_allow_and_approves_nothing(world: World) -> None:
    signers, request = await waiting(world, LARGE)
    assert await refusal(signers[1], DRIVER, "joinSigningRequest", request) == "approval_needed"
    assert not signers[1].told("session:joined")
    told = await approve(signers[1], ANNA, request)
    assert (told["joined"], [each["label"] for each in told["approvals"]]) == (True, ["anna"])
    assert len(await signatures(signers[0], request)) == 1
    assert (await signers[1].call("listPendingApprovals"))["pending"] == []


async def test_the_join_of_a_token_with_both_scopes_is_its_approval(world: World) -> None:
    signers, request = await waiting(world, LARGE)
    both = token("old wallet", Scope.SIGN, Scope.APPROVE)
    await signers[1].call("joinSigningRequest", both, requestId=request, publicKey=signers[1].key.hex())
    assert len(await signatures(signers[0], request)) == 1
    assert [each["label"] for each in (await explained(signers[1], request))["approvals"]] == ["old wallet"]


async def test_two_named_tokens_must_approve_and_one_counts_once(world: World) -> None:
    signers, request = await waiting(world, FOUR_EYES)
    signer = signers[1]
    assert not (await approve(signer, ANNA, request))["joined"]
    assert not (await approve(signer, ANNA, request))["joined"]
    assert not (await approve(signer, token("anna#2", Scope.APPROVE), request))["joined"]
    assert not (await approve(signer, token("eve", Scope.APPROVE), request))["joined"]
    assert await refusal(signer, token("anna#1", Scope.SIGN, Scope.APPROVE), "joinSigningRequest", request) == (
        "approval_needed"
    )
    assert not signer.told("session:joined")
    told = await explained(signer, request)
    assert (told["approved"], told["approvalsGiven"], told["approvalsNeeded"]) == (False, 1, 2)
    (pending,) = (await signer.call("listPendingApprovals", BEN))["pending"]
    assert (pending["approvalsGiven"], pending["approvalsOf"]) == (1, ["anna", "ben"])
    assert {each["label"]: each["own"] for each in pending["approvals"]} == {"anna": False, "eve": False}
    await signer.stop()
    await signer.start()
    world.hub.connect(signer.peer, signers[0].peer)
    told = await approve(signer, BEN, request)
    assert (told["joined"], told["approvalsNeeded"], told["approvalsGiven"]) == (True, 2, 2)
    assert [each["label"] for each in told["approvals"] if each["own"]] == ["ben"]
    given = [(each.data["label"], each.data["given"], each.data["needed"]) for each in signer.told("approval:given")]
    assert given[0] == ("anna", 1, 2)
    assert given[-1] == ("ben", 2, 2)
    assert len(await signatures(signers[0], request)) == 1


async def test_an_own_request_waits_for_approval_like_any_other(world: World) -> None:
    one, other = await world.add(rules=LARGE), await world.add()
    params = {"publicKey": one.key.hex(), "requiredPublicKeys": [one.key.hex(), other.key.hex()]}
    with pytest.raises(ApiError) as caught:
        await one.call("announceSigningRequest", DRIVER, **params, **paying([one, other], 5_000))
    assert (caught.value.reason, caught.value.data["needed"]) == ("approval_needed", 1)
    assert "large" in caught.value.message
    asked = await one.call("announceSigningRequest", **params, **paying([one, other], 5_000))
    await join(other, asked["requestId"])
    assert len(await signatures(one, asked["requestId"])) == 1


async def test_nothing_is_signed_on_an_approval_that_has_ended(world: World) -> None:
    signers, request = await waiting(world, LARGE)
    with pytest.raises(ApiError, match="until: is in the past"):
        await approve(signers[1], ANNA, request, until=1)
    until = world.clock.wall_ms() + 600_000
    told = await approve(signers[1], token("early", Scope.APPROVE), request, until=until)
    assert [each["until"] for each in told["approvals"]] == [until]
    assert len(await signatures(signers[0], request)) == 1


class SetBack(SystemClock):
    """A clock that somebody has set back by an hour, so that what has ended might seem to last."""

    def wall_ms(self) -> int:
        return super().wall_ms() - 3_600_000


@pytest.mark.parametrize(
    "how", [{}, {"clock": SetBack()}, {"clock_is_wrong": lambda: True}], ids=["ended", "back", "wrong"]
)
async def test_an_approval_that_has_ended_or_may_have_holds_the_partial_signatures_back(
    world: World, how: dict[str, Any]
) -> None:
    signers = await two(world, LARGE)
    asked = await ask(signers[0], signers, **paying(signers, 5_000), autoAdvance=False)
    request = asked["requestId"]
    await signers[1].until("approval:needed", requestId=request)
    await approve(signers[1], ANNA, request, until=world.clock.wall_ms() + 600_000)
    await signers[1].until("session:ready", requestId=request)
    if not how:
        await signers[1].store.write(lambda conn: conn.execute("UPDATE policy_approvals SET until_ms = 1"))
    signers[1].policy._around = replace(signers[1].policy._around, **how)
    await signers[0].until("session:ready", requestId=request)
    await signers[0].call("startRound1", sessionId=asked["sessionId"])
    assert (await signers[1].until("session:aborted", requestId=request)).data["reason"] == "policy"


async def test_the_clock_of_a_round_starts_after_the_approval(world: World) -> None:
    signers = await two(world, LARGE)
    asked = await ask(signers[0], signers, **paying(signers, 5_000), roundMs=60_000, autoAdvance=False)
    request, session = asked["requestId"], asked["sessionId"]
    await signers[1].until("approval:needed", requestId=request)
    waits = await signers[0].call("getSession", sessionId=session)
    assert (waits["phase"], waits["deadline"]) == ("joining", asked["request"]["expiresAt"])
    before = world.clock.wall_ms()
    await approve(signers[1], ANNA, request)
    await signers[0].until("session:ready", requestId=request)
    begun = (await signers[0].call("getSession", sessionId=session))["deadline"]
    assert before + 60_000 <= begun <= world.clock.wall_ms() + 60_000


async def test_a_request_that_a_rule_refuses_cannot_be_approved(world: World) -> None:
    signers = await two(world, "")
    request = await pay(signers, 5_000)
    await signers[1].until("approval:needed", requestId=request)
    signers[1].write_policy('[[rule]]\nname = "none"\nverdict = "refuse"')
    await signers[1].policy.reload()
    await signers[1].until("signing-request:declined", requestId=request)
    assert await refusal(signers[1], ANNA, "approveRequest", request) == "declined"


async def test_without_a_policy_everything_waits_and_a_token_that_signs_joins(world: World) -> None:
    signers = await world.grow(2)
    first, second = [(await announce(signers[0], signers))["requestId"] for _ in range(2)]
    await signers[1].until("signing-request:received", 2)
    listed = (await signers[1].call("listPendingApprovals"))["pending"]
    assert {each["request"]["requestId"] for each in listed} == {first, second}
    assert listed[0]["message"] == "There is no policy: each join waits for its owner."
    page = await signers[1].call("listPendingApprovals", limit=1)
    rest = await signers[1].call("listPendingApprovals", limit=1, cursor=page["nextCursor"])
    assert {each["request"]["requestId"] for each in (*page["pending"], *rest["pending"])} == {first, second}
    assert "nextCursor" not in rest
    await signers[1].call("joinSigningRequest", DRIVER, requestId=first, publicKey=signers[1].key.hex())
    assert (await approve(signers[1], ANNA, second))["joined"]
    for request in (first, second):
        assert len(await signatures(signers[0], request)) == 1
    assert signers[1].told("approval:needed") == []


async def test_a_dismissed_request_does_not_wait(world: World) -> None:
    signers, request = await waiting(world, LARGE)
    await signers[1].call("dismissRequest", requestId=request)
    assert (await signers[1].call("listPendingApprovals"))["pending"] == []


async def test_wallets_that_share_a_daemon_see_and_approve_only_their_own(world: World) -> None:
    signers, request = await waiting(world, LARGE)
    signer = signers[1]
    neighbour = token("neighbour", Scope.APPROVE, keys=frozenset({await signer.new_key("lotus")}))
    assert (await signer.call("listPendingApprovals", neighbour))["pending"] == []
    assert await refusal(signer, neighbour, "approveRequest", request) == "unknown_key"
    choice = Selection(neighbour, lambda token: ())
    assert [event.event for event in signer.told() if choice.takes(event) and event.event.startswith("approval:")] == []
    mine = token("mine", Scope.APPROVE, keys=frozenset({signer.key}))
    assert len((await signer.call("listPendingApprovals", mine, publicKey=signer.key.hex()))["pending"]) == 1
    assert (await approve(signer, mine, request))["joined"]


async def test_an_unknown_request_cannot_be_approved(world: World) -> None:
    one = await world.add()
    assert await refusal(one, ANNA, "approveRequest", os.urandom(32).hex()) == "not_found"


async def test_what_a_revoked_token_approved_counts_no_more(world: World) -> None:
    signers, request = await waiting(world, FOUR_EYES)
    signer = signers[1]
    await approve(signer, ANNA, request)
    await signer.store.write(signer.policy.withdraw("anna#1"))
    told = await approve(signer, BEN, request)
    assert (told["joined"], [each["label"] for each in told["approvals"]]) == (False, ["ben"])
    assert (await approve(signer, token("anna#2", Scope.APPROVE), request))["joined"]
    assert len(await signatures(signers[0], request)) == 1


async def test_an_approval_that_could_not_be_stored_is_none(world: World) -> None:
    signers, request = await waiting(world, FOUR_EYES)
    signer = signers[1]
    full = "CREATE TRIGGER full BEFORE INSERT ON policy_approvals BEGIN SELECT RAISE(ABORT, 'full'); END"
    await signer.store.write(lambda conn: conn.execute(full))
    assert await refusal(signer, ANNA, "approveRequest", request) == "store_full"
    await signer.store.write(lambda conn: conn.execute("DROP TRIGGER full"))
    told = await approve(signer, BEN, request)
    assert (told["joined"], [each["label"] for each in told["approvals"]]) == (False, ["ben"])


async def test_approvals_are_counted_by_the_rules_in_force_when_it_is_signed(world: World) -> None:
    signers = await two(world, LARGE)
    asked = await ask(signers[0], signers, **paying(signers, 5_000), autoAdvance=False)
    request = asked["requestId"]
    await signers[1].until("approval:needed", requestId=request)
    assert (await approve(signers[1], ANNA, request))["joined"]
    signers[1].write_policy(FOUR_EYES)
    await signers[1].policy.reload()
    await signers[0].until("session:ready", requestId=request)
    await signers[0].call("startRound1", sessionId=asked["sessionId"])
    assert (await signers[1].until("session:aborted", requestId=request)).data["reason"] == "policy"
    assert (await approve(signers[1], BEN, request))["joined"]
