"""What the audit log says of joins, signatures, questions and what was held back; and that nothing goes without it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from daemon.audit import log
from daemon.policy.rules import Ruling
from daemon.signing.owner.grounds import LONGEST_CONDITION, MOST_CONDITIONS
from musig2.protocol.wire.frame_codec import open_frame
from rpc.errors import ApiError
from tests.signing.flows.test_signing_checks import BelievesEverything, ask
from tests.signing.memory_net import MAX_FRAME
from tests.signing.policy.test_approvals import ANNA, BEN, FOUR_EYES, LARGE, approve
from tests.signing.policy.test_policy_budgets import full_at, partial_in, room_again
from tests.signing.policy.test_policy_flow import SMALL, pay, paying, two
from tests.signing.signing_world import Daemon, World, join, signatures


def lines(daemon: Daemon, *what: str) -> list[dict[str, Any]]:
    found = daemon.store.read(lambda conn: [orjson.loads(line.body) for line in log.lines_after(conn, 0)])
    return [line for line in found if line["what"] in what]


async def test_a_join_by_itself_names_rule_line_and_file(world: World) -> None:
    signers = await two(world, SMALL)
    request = await pay(signers, 10_000)
    assert len(await signatures(signers[0], request)) == 1
    joined, partial = lines(signers[1], "signing-request:joined", "partial")
    for line in (joined, partial):
        assert (line["verdict"], line["rule"], line["line"], line["amount"]) == ("join", "small", 2, 10_000)
        assert line["policy"] == signers[1].policy.rules.digest
    assert "rule" not in lines(signers[0], "partial")[0]


async def test_a_question_and_its_approval_are_on_record(world: World) -> None:
    signers = await two(world, FOUR_EYES)
    request = await pay(signers, 5_000)
    await signers[1].until("approval:needed", requestId=request)
    for label in ("anna#1", "ben#1"):
        await approve(signers[1], ANNA if label == "anna#1" else BEN, request)
    assert len(await signatures(signers[0], request)) == 1
    (asked,) = lines(signers[1], "approval:needed")
    assert (asked["rule"], asked["line"], asked["approvedBy"]) == ("large", 1, [])
    assert [line["label"] for line in lines(signers[1], "approval:given")] == ["anna", "ben"]
    (partial,) = lines(signers[1], "partial")
    assert (partial["verdict"], partial["approvedBy"]) == ("ask", ["anna", "ben"])


async def test_a_question_by_default_says_that_no_rule_applied_and_which_conditions_failed(world: World) -> None:
    signers = await two(world, SMALL)
    request = await pay(signers, 10_001)
    await signers[1].until("approval:needed", requestId=request)
    (asked,) = lines(signers[1], "approval:needed")
    assert (asked["verdict"], asked["noRuleApplied"]) == ("ask", True)
    assert asked["failed"] == ["line 5: small: max_amount = 10000"]


async def test_a_refusal_names_what_failed_before_and_how_much_it_left_out(world: World) -> None:
    narrow = "".join(
        f'[[rule]]\nname = "{number}"\nverdict = "join"\nmax_amount = {number}\n'
        f"creators = [{', '.join([chr(34) + '02' * 33 + chr(34)] * 3)}]\n"
        for number in range(8)
    )
    signers = await two(world, narrow + '[[rule]]\nname = "no"\nverdict = "refuse"\n')
    request = await pay(signers, 10_001)
    await signers[1].until("signing-request:declined", requestId=request)
    (declined,) = lines(signers[1], "signing-request:declined")
    assert (declined["rule"], "noRuleApplied" in declined) == ("no", False)
    assert (len(declined["failed"]), declined["failedMore"]) == (MOST_CONDITIONS, 16 - MOST_CONDITIONS)
    assert max(map(len, declined["failed"])) == LONGEST_CONDITION


async def test_what_joins_by_itself_is_not_gone_through_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> Ruling:
        raise AssertionError("every condition is gone through on the way of a join")

    signers = await two(world, SMALL)
    monkeypatch.setattr(signers[1].policy, "explained", never)
    request = await pay(signers, 10_000)
    assert len(await signatures(signers[0], request)) == 1
    assert "failed" not in lines(signers[1], "partial")[0]


async def test_what_is_held_back_is_on_record_with_its_reason(world: World) -> None:
    signers = await two(world, LARGE)
    asked = await ask(signers[0], signers, **paying(signers, 5_000), autoAdvance=False)
    request = asked["requestId"]
    await signers[1].until("approval:needed", requestId=request)
    await approve(signers[1], ANNA, request)
    signers[1].write_policy(FOUR_EYES)
    await signers[1].policy.reload()
    await signers[0].until("session:ready", requestId=request)
    await signers[0].call("startRound1", sessionId=asked["sessionId"])
    await signers[1].until("session:aborted", requestId=request)
    (held,) = lines(signers[1], "held-back")
    assert (held["from"], held["verdict"], held["rule"], held["approvedBy"]) == ("partial", "ask", "large", ["anna"])


async def test_what_was_joined_by_an_older_version_and_shows_something_else_is_not_signed(world: World) -> None:
    one = await world.add(policy=BelievesEverything())
    other = await world.add(policy=BelievesEverything())
    params = paying([one, other], 1_000) | {"message": "00" * 32}
    asked = await ask(one, [one, other], **params, autoAdvance=False)
    await join(other, asked["requestId"], autoAdvance=False)
    await other.until("session:ready", requestId=asked["requestId"])
    await other.stop()
    await other.start()
    world.hub.connect(other.peer, one.peer)
    for daemon in (one, other):
        await daemon.call("startRound1", sessionId=asked["sessionId"])
    await other.until("round1:complete", requestId=asked["requestId"])
    await other.call("startRound2", sessionId=asked["sessionId"])
    aborted = await other.until("session:aborted", requestId=asked["requestId"])
    assert aborted.data["reason"] == "policy"
    assert lines(other, "partial") == []
    assert lines(other, "held-back")[0]["verdict"] == "refuse"


async def test_nothing_is_changed_or_sent_whose_line_finds_no_room(world: World) -> None:
    signers = await two(world, SMALL)
    await full_at(signers[0], "audit_lines")
    with pytest.raises(ApiError, match="stored"):
        await pay(signers, 1_000)
    assert world.hub.carried == []
    await room_again(signers[0])
    await full_at(signers[1], "audit_lines", 'WHEN NEW.body LIKE \'%"what":"partial"%\'')
    request = await pay(signers, 1_000)
    await signers[1].until("session:ready", requestId=request)
    await signers[1].service.engine.turned()
    sent = [open_frame(data, max_bytes=MAX_FRAME) for who, _, data in world.hub.carried if who == signers[1].peer]
    assert not any(partial_in(frame) for frame in sent)
    await room_again(signers[1])
    await signers[1].until("signature:finalized", requestId=request)
    assert len(lines(signers[1], "partial")) == 1
