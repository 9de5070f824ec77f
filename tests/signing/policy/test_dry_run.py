"""A dry run of `reloadPolicy` says what the reload will do, and does nothing of it."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.main import main
from rpc.cli.people.dry_run import dry_run_text, rule_line
from rpc.errors import ApiError
from tests.signing.policy.test_approvals import FOUR_EYES, LARGE
from tests.signing.policy.test_policy_flow import SMALL, pay, two
from tests.signing.signing_world import Daemon, World, announce, signatures

ASK = '[[rule]]\nname = "all"\nverdict = "ask"\n'
NO = '[[rule]]\nname = "no"\nverdict = "refuse"\n'
ONE_A_DAY = '[[rule]]\nname = "one"\nverdict = "join"\nmax_amount = 10_000\nper_day = { count = 1 }\n'


async def dry_run(daemon: Daemon, rules: str) -> dict[str, Any]:
    daemon.write_policy(rules)
    return await daemon.call("reloadPolicy", dryRun=True)


async def waiting(world: World, rules: str, *amounts: int) -> tuple[list[Daemon], list[str]]:
    """Requests for a signer with these rules, that ask its owner."""
    signers = await two(world, rules)
    requests = [await pay(signers, amount) for amount in amounts]
    for request in requests:
        await signers[1].until("approval:needed", requestId=request)
    return signers, requests


def fates(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["requestId"], each["outcome"]) for each in answer["dryRun"]["requests"]]


async def test_it_names_each_rule_with_its_line_and_what_became_of_it(world: World) -> None:
    (_, signer) = await two(world, ASK.replace("all", "gone") + SMALL + ASK + ASK.replace("all", "late"))
    before = signer.policy.rules
    new = ASK.replace("all", "late") + ASK + SMALL.replace("10_000", "20_000") + NO
    answer = await dry_run(signer, new)
    told = [(each["change"], each["rule"], each["line"], each["verdict"]) for each in answer["dryRun"]["rules"]]
    assert told == [
        ("moved", "late", 1, "ask"),
        ("moved", "all", 4, "ask"),
        ("changed", "small", 8, "join"),
        ("new", "no", 13, "refuse"),
        ("removed", "gone", 1, "ask"),
    ]
    assert (answer["active"], answer["rules"], answer["default"]) == (True, ["late", "all", "small", "no"], "ask")
    assert answer["dryRun"]["inForce"] == before.digest != answer["dryRun"]["policy"]
    assert signer.policy.rules is before
    assert not signer.told("policy:reloaded")


@pytest.mark.parametrize(
    ("new", "fate", "then"),
    [(SMALL, "joined", "signing-request:joined"), (NO, "declined", "signing-request:declined")],
)
async def test_what_waits_is_joined_or_declined_only_by_the_reload_itself(
    world: World, new: str, fate: str, then: str
) -> None:
    signers, requests = await waiting(world, ASK, 5_000)
    answer = await dry_run(signers[1], new)
    assert fates(answer) == [(requests[0], fate)]
    (told,) = answer["dryRun"]["requests"]
    assert (told["publicKey"], told["rule"]) == (signers[1].key.hex(), "small" if new == SMALL else "no")
    await signers[1].service.quiet()
    assert not signers[1].told(then)
    await signers[1].call("reloadPolicy")
    await signers[1].until(then, requestId=requests[0])


async def test_budgets_are_used_up_in_the_order_of_a_reload(world: World) -> None:
    signers, requests = await waiting(world, ASK, 5_000, 6_000)
    answer = await dry_run(signers[1], ONE_A_DAY)
    (first, fate), (second, other) = fates(answer)
    assert {first, second} == set(requests)
    assert (fate, other) == ("joined", "waits")
    assert fates(await dry_run(signers[1], ONE_A_DAY)) == fates(answer), "the first run has reserved nothing"
    await signers[1].call("reloadPolicy")
    assert len(await signatures(signers[0], first)) == 1
    assert second not in [event.data["requestId"] for event in signers[1].told("signing-request:joined")]


async def test_other_approvals_for_what_waits_are_named_and_the_same_are_not(world: World) -> None:
    signers, requests = await waiting(world, FOUR_EYES, 5_000)
    assert fates(await dry_run(signers[1], FOUR_EYES)) == []
    assert fates(await dry_run(signers[1], LARGE)) == [(requests[0], "waits")]


async def test_what_has_joined_and_would_no_longer_be_signed_is_held_back(world: World) -> None:
    signers = [*await two(world, SMALL), await world.add()]
    request = await pay(signers, 5_000)
    await signers[1].until("signing-request:joined", requestId=request)
    assert fates(await dry_run(signers[1], NO)) == [(request, "held-back")]
    assert fates(await dry_run(signers[1], SMALL)) == []


async def test_without_a_policy_a_first_file_is_tried_too(world: World) -> None:
    signers = [await world.add(), await world.add()]
    request = str((await announce(signers[0], signers))["requestId"])
    await signers[1].until("signing-request:received", requestId=request)
    nothing = await signers[1].call("reloadPolicy", dryRun=True)
    assert (nothing["active"], nothing["dryRun"]["policy"], nothing["dryRun"]["requests"]) == (False, "none", [])
    answer = await dry_run(signers[1], NO)
    assert (answer["active"], answer["dryRun"]["inForce"], fates(answer)) == (True, "none", [(request, "declined")])
    assert not signers[1].policy.active


async def test_a_broken_file_is_refused_in_the_words_of_policy_check(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (_, signer) = await two(world, SMALL)
    with pytest.raises(ApiError) as refused:
        await dry_run(signer, SMALL + "max_amuont = 3\n")
    assert refused.value.reason == "policy_unreadable"
    assert signer.policy.problem is None, "what is in force has no problem"
    assert main(["policy", "check", str(signer.policy.path)]) == 2
    assert refused.value.message in capsys.readouterr().err


async def test_people_read_the_rules_as_policy_check_shows_them(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    signers, requests = await waiting(world, ASK, 5_000)
    text = dry_run_text(await dry_run(signers[1], SMALL))
    assert main(["policy", "check", str(signers[1].policy.path)]) == 0
    said = capsys.readouterr().out
    line = rule_line(2, "join", "small")
    assert line == "line 2: join: small"
    assert line in said
    assert f"new      {line}\n" in text
    assert "removed  line 1: ask: all\n" in text
    assert f"request {requests[0]} would be joined\n" in text
