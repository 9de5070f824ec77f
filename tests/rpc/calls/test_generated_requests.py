"""Whatever is sent, a valid response comes back. `python -m tests.rpc.calls.slow_requests` sends 50,000."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings

from tests.rpc.calls.generated_requests import assert_valid_reply, bodies
from tests.rpc.calls.requests_target import Target


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=bodies)
def test_any_request_gets_a_valid_response(body: bytes) -> None:
    with asyncio.Runner() as runner:
        target = runner.run(Target.make())
        assert_valid_reply(runner.run(target.answer(body)))
