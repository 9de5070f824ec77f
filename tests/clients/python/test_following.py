"""What a follower of events bridges, and what ends it, with connections that answer what a test says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from musigd_client import following
from musigd_client.errors import Busy, CallFailed, CertificateRefused, ShuttingDown, TooMany, Unreachable

BUSY = {"reason": "busy", "retryAfterMs": 1}


class Connection:
    """Answers `subscribe` with an error, or with the place asked for and one event; then it ends."""

    def __init__(self, refusal: CallFailed | None) -> None:
        self.refusal = refusal
        self.unread: list[int] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        assert method == "subscribe"
        if self.refusal is not None:
            raise self.refusal
        self.unread.append(params["fromSeq"])
        return {"nextSeq": params["fromSeq"], "logId": "log"}

    async def next_notification(self) -> dict[str, Any]:
        if not self.unread:
            raise Unreachable("the connection has ended")
        return {"result": {"seq": self.unread.pop(), "event": "session:ready", "time": 0, "data": {}}}

    async def close(self) -> None:
        self.refusal = None


def follow(connections: Iterator[Connection | Unreachable]) -> Any:
    async def connect() -> Any:
        found = next(connections)
        if isinstance(found, Unreachable):
            raise found
        return found

    return following.follow(connect, from_seq=1, log_id=None, params={})


@pytest.mark.parametrize("refusal", [ShuttingDown(-32010, "", {}), Busy(-32010, "", BUSY)])
async def test_refusal_of_a_new_subscription_that_passes_is_bridged(refusal: CallFailed) -> None:
    events = follow(iter([Connection(None), Connection(refusal), Connection(None)]))
    assert [(await anext(events))["seq"] for _ in range(2)] == [1, 2]


async def test_refusal_of_a_new_subscription_that_does_not_pass_is_told() -> None:
    events = follow(iter([Connection(None), Connection(TooMany(-32010, "", {}))]))
    assert (await anext(events))["seq"] == 1
    with pytest.raises(TooMany):
        await anext(events)


async def test_a_certificate_that_is_no_longer_accepted_is_told_where_silence_is_bridged() -> None:
    away, distrusted = Unreachable("no daemon answers"), CertificateRefused("the certificate has expired")
    events = follow(iter([Connection(None), away, Connection(None), distrusted]))
    assert [(await anext(events))["seq"] for _ in range(2)] == [1, 2]
    with pytest.raises(CertificateRefused):
        await anext(events)


async def test_refusal_of_the_first_subscription_is_told() -> None:
    with pytest.raises(ShuttingDown):
        await anext(follow(iter([Connection(ShuttingDown(-32010, "", {}))])))
