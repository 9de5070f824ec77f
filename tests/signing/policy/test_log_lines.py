"""The log has a line for what the policy does by itself: request, key, rule and its line, and nothing secret."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.signing.policy.test_approvals import FOUR_EYES
from tests.signing.policy.test_policy_flow import SMALL, pay, two
from tests.signing.signing_world import Daemon, World, signatures

NO = '\n[[rule]]\nname = "no"\nverdict = "refuse"\n'


def of_the_policy(
    lines: list[MutableMapping[str, Any]], daemon: Daemon, request: str
) -> list[MutableMapping[str, Any]]:
    """The lines about that request and its own key, without these two; the level is info."""
    found = [line for line in lines if line.get("request") == request and line.get("key") == daemon.key.hex()]
    named = {"request", "key", "log_level"}
    assert {line["log_level"] for line in found} <= {"info"}
    return [{name: value for name, value in line.items() if name not in named} for line in found]


@pytest.mark.parametrize(
    ("rules", "amount", "until", "said"),
    [
        (FOUR_EYES, 5_000, "approval:needed", {"event": "a request waits for its owner", "rule": "large", "line": 1}),
        (
            SMALL,
            10_001,
            "approval:needed",
            {
                "event": "a request waits for its owner",
                "why": "No rule of the policy applies, so it asks its owner by default.",
            },
        ),
        (
            SMALL + NO,
            10_001,
            "signing-request:declined",
            {"event": "the policy declines a request", "rule": "no", "line": 8},
        ),
    ],
)
async def test_a_question_and_a_decline_are_one_line_each(
    world: World, rules: str, amount: int, until: str, said: dict[str, Any]
) -> None:
    signers = await two(world, rules)
    with capture_logs() as lines:
        request = await pay(signers, amount)
        await signers[1].until(until, requestId=request)
        await signers[1].call("reloadPolicy")
        await signers[1].service.quiet()
    assert of_the_policy(lines, signers[1], request) == [said]


async def test_a_join_by_itself_is_one_line(world: World) -> None:
    signers = await two(world, SMALL)
    with capture_logs() as lines:
        request = await pay(signers, 10_000)
        assert len(await signatures(signers[0], request)) == 1
    joined = {"event": "the policy joins a request", "rule": "small", "line": 2}
    assert of_the_policy(lines, signers[1], request) == [joined]
