"""A daemon with a policy: what it joins automatically, leaves to its owner, or declines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from daemon.commands.policy import ASSUMED
from daemon.main import main
from daemon.policy.read import PolicyUnreadable
from daemon.signing.owner.rounds import AT_ONCE
from rpc.errors import ApiError
from tests.signing.flows.test_signing_checks import BelievesEverything, ask
from tests.signing.policy import payments
from tests.signing.signing_world import Daemon, World, announce, join, signatures

SMALL = """
[[rule]]
name = "small"
verdict = "join"
max_amount = 10_000
max_fee = 1_000
"""


def paying(signers: list[Daemon], amount: int, fee: int = 500) -> dict[str, Any]:
    return payments.paying("lotus", [signer.key for signer in signers], amount, fee)


async def two(world: World, rules: str) -> list[Daemon]:
    """A creator without rules, and a signer with these."""
    return [await world.add(), await world.add(rules=rules)]


async def pay(signers: list[Daemon], amount: int, fee: int = 500) -> str:
    return str((await ask(signers[0], signers, **paying(signers, amount, fee)))["requestId"])


async def explained(daemon: Daemon, request: str) -> dict[str, Any]:
    params = {"requestId": request, "publicKey": daemon.key.hex()}
    return await daemon.call("explainPolicy", **params)


async def test_a_request_that_a_rule_allows_is_joined_and_signed_automatically(world: World) -> None:
    signers = await two(world, SMALL)
    request = await pay(signers, 10_000)
    assert len(await signatures(signers[0], request)) == 1
    told = await explained(signers[1], request)
    assert (told["verdict"], told["rule"], told["line"]) == ("join", "small", 2)
    assert (told["values"]["amount"], told["values"]["fee"]) == (10_000, 500)


@pytest.mark.parametrize(("amount", "fee"), [(10_001, 500), (10_000, 1_001)])
async def test_a_request_outside_the_rules_waits_for_its_owner(world: World, amount: int, fee: int) -> None:
    signers = await two(world, SMALL)
    request = await pay(signers, amount, fee)
    await signers[1].until("signing-request:received", requestId=request)
    assert (await explained(signers[1], request))["verdict"] == "ask"
    assert not signers[1].told("session:joined")
    await join(signers[1], request)
    assert (await explained(signers[1], request))["approved"]
    assert len(await signatures(signers[0], request)) == 1


async def test_a_blind_request_and_a_mismatch_are_never_joined(world: World) -> None:
    signers = await two(world, SMALL)
    blind = (await announce(signers[0], signers))["requestId"]
    await signers[1].until("signing-request:received", requestId=blind)
    assert (await explained(signers[1], blind))["values"]["review"] == ["blind"]
    assert not signers[1].told("session:joined")
    hostile = await world.add(policy=BelievesEverything())
    params = paying([hostile, signers[1]], 1_000) | {"message": "00" * 32}
    wrong = (await ask(hostile, [hostile, signers[1]], **params))["requestId"]
    await hostile.until("signing-request:declined", requestId=wrong)
    assert not signers[1].told("session:joined")


async def test_a_refusal_declines_for_all_with_the_reason_of_the_rule(world: World) -> None:
    rules = '[[rule]]\nname = "none"\nverdict = "refuse"\nreason = "closed today"\nmin_amount = 1'
    signers = await two(world, rules)
    request = await pay(signers, 500)
    declined = await signers[0].until("signing-request:declined", requestId=request)
    assert declined.data["reason"] == "closed today"


async def test_a_refusal_binds_the_owner_too(world: World) -> None:
    refuse = '[[rule]]\nname = "none"\nverdict = "refuse"\nmin_amount = 1'
    one, other = await world.add(rules=refuse), await world.add()
    with pytest.raises(ApiError, match=r'Rule "none" \(line 1\)') as caught:
        await ask(one, [one, other], **paying([one, other], 500))
    assert (caught.value.reason, caught.value.data["rule"]) == ("policy_denied", "none")
    assert not one.told("signing-request:created")


async def test_an_owner_cannot_join_what_a_rule_refuses_while_the_key_was_locked(world: World) -> None:
    signers = await two(world, "")
    request = await pay(signers, 500)
    await signers[1].until("signing-request:received", requestId=request)
    signers[1].write_policy('[[rule]]\nname = "none"\nverdict = "refuse"\nmin_amount = 1')
    await signers[1].policy.reload()
    declined = await signers[0].until("signing-request:declined", requestId=request)
    assert declined.data["reason"] == "declined by policy"


async def test_the_rules_are_applied_again_before_round_two(world: World) -> None:
    signers = await two(world, SMALL)
    held = await ask(signers[0], signers, **paying(signers, 10_000), autoAdvance=False)
    request, session = held["requestId"], held["sessionId"]
    await signers[1].until("session:ready", requestId=request)
    signers[1].write_policy(SMALL.replace("10_000", "9_999"))
    await signers[1].policy.reload()
    await signers[0].until("session:ready", requestId=request)
    await signers[0].call("startRound1", sessionId=session)
    aborted = await signers[1].until("session:aborted", requestId=request)
    assert aborted.data["reason"] == "policy"
    view = await signers[1].call("getSigningRequest", requestId=request)
    assert (view["state"], view["partialReleased"]) == ("open", False)
    await join(signers[1], request)
    await signers[0].call("joinSigningRequest", requestId=request, publicKey=signers[0].key.hex(), autoAdvance=True)
    assert len(await signatures(signers[0], request)) == 1


async def test_a_reload_considers_waiting_requests_and_a_broken_file_changes_nothing(world: World) -> None:
    signers = await two(world, "")
    request = await pay(signers, 500)
    await signers[1].until("signing-request:received", requestId=request)
    signers[1].write_policy(SMALL + "max_amont = 7")
    with pytest.raises(PolicyUnreadable, match="has no member max_amont"):
        await signers[1].policy.reload()
    assert "max_amont" in str(signers[1].policy.problem)
    assert (await explained(signers[1], request))["verdict"] == "ask"
    with pytest.raises(ApiError) as caught:
        await signers[1].call("reloadPolicy")
    assert caught.value.reason == "policy_unreadable"
    signers[1].write_policy(SMALL)
    told = await signers[1].call("reloadPolicy")
    assert (told["rules"], told["default"]) == (["small"], "ask")
    assert (await signers[1].until("policy:reloaded")).data["policy"] == signers[1].policy.rules.digest
    assert len(await signatures(signers[0], request)) == 1
    assert signers[1].policy.problem is None
    (signers[1].folder / "policy.toml").unlink()
    with pytest.raises(PolicyUnreadable, match="No such file"):
        await signers[1].policy.reload()
    assert signers[1].policy.active


async def test_a_second_own_key_of_a_request_is_joined_automatically_too(world: World) -> None:
    one = await world.add(rules=SMALL, keys=2)
    keys = list(one.keystore.keys())
    asked = await one.call(
        "announceSigningRequest",
        publicKey=one.key.hex(),
        requiredPublicKeys=[key.hex() for key in keys],
        **payments.paying("lotus", keys, 900),
    )
    assert len(await signatures(one, asked["requestId"])) == 1


async def test_reputation_is_the_lowest_of_the_other_signers(world: World) -> None:
    signers = await two(world, SMALL + "min_reputation = 40")
    request = await pay(signers, 500)
    await signers[1].until("signing-request:received", requestId=request)
    assert (await explained(signers[1], request))["verdict"] == "ask"
    signers[1].reputations[signers[0].key] = 39
    assert (await explained(signers[1], request))["values"]["reputation"] == 39
    signers[1].reputations[signers[0].key] = 40
    assert (await explained(signers[1], request))["verdict"] == "join"
    signers[1].service.sweeper.sweep()
    assert len(await signatures(signers[0], request)) == 1


async def test_without_a_file_nothing_is_joined_automatically_and_a_token_that_signs_joins(world: World) -> None:
    signers = [await world.add(), await world.add()]
    request = await pay(signers, 500)
    told = await explained(signers[1], (await signers[1].until("signing-request:received")).data["requestId"])
    assert (told["active"], told["verdict"]) == (False, "ask")
    assert "There is no policy" in told["message"]
    await join(signers[1], request)
    assert len(await signatures(signers[0], request)) == 1


async def test_a_key_that_is_not_asked_for_has_no_ruling(world: World) -> None:
    signers = await two(world, SMALL)
    request = await pay(signers, 500)
    other = await signers[1].new_key("lotus")
    await signers[1].until("signing-request:received", requestId=request)
    with pytest.raises(ApiError) as caught:
        await signers[1].call("explainPolicy", requestId=request, publicKey=other.hex())
    assert caught.value.reason == "key_not_required"


async def test_the_command_has_the_verdict_of_the_daemon_on_a_saved_request(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signers = await two(world, SMALL)
    request = await pay(signers, 10_001)
    await signers[1].until("signing-request:received", requestId=request)
    saved = tmp_path / "request.json"
    saved.write_text(json.dumps({"result": await signers[1].call("getSigningRequest", requestId=request)}))
    file = str(signers[1].folder / "policy.toml")
    assert main(["policy", "check", file, "--against", str(saved)]) == 0
    told = capsys.readouterr().out
    assert ASSUMED in told
    assert f"{signers[1].key.hex()}: ask. No rule of the policy applies" in told
    assert "line 5: small: max_amount = 10000: 10001 > 10000" in told
    assert signers[0].key.hex() not in told
    for broken in ("{}", "7", '{"envelope": "00"}', "no JSON"):
        saved.write_text(broken)
        assert main(["policy", "check", file, "--against", str(saved)]) == 1
        assert "musigd: " in capsys.readouterr().err


async def test_a_reload_considers_every_request_that_waits_a_few_at_a_time(world: World) -> None:
    signers = await two(world, "")
    requests = [await pay(signers, 500) for _ in range(2 * AT_ONCE + 1)]
    await signers[1].until("approval:needed", len(requests))
    signers[1].write_policy(SMALL)
    await signers[1].policy.reload()
    for request in requests:
        await signers[1].until("signature:finalized", requestId=request)
    assert len(signers[1].told("signature:finalized")) == len(requests)


async def test_time_changes_nothing_if_no_rule_depends_on_it(world: World) -> None:
    signers = await two(world, SMALL)
    request = await pay(signers, 20_000)
    await signers[1].until("approval:needed", requestId=request)
    signers[1].policy.ruling = None  # type: ignore[assignment, method-assign]  # whoever asks fails
    turns = signers[1].service.engine.turns
    signers[1].service.sweeper.sweep()
    await signers[1].service.engine.turned()
    assert signers[1].service.engine.turns > turns
    assert (await signers[1].call("getSigningRequest", requestId=request))["state"] in ("open", "signing")
