"""What wallets wait for: a signature, and a request on its way to one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from musigd_client import Client
from musigd_client.errors import Declined, NotReady, RateLimited
from musigd_client.followed import RequestProgress
from musigd_client.models.requests import SigningRequest
from musigd_client.models.sessions import Session
from musigd_client.wire import decoded
from rpc.errors import ApiError
from rpc.methods import samples
from rpc.methods.table import METHODS
from tests.clients.python.test_patience import answer_final
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import World

A, B = samples.KEY_A, samples.KEY_B


async def test_the_client_asks_until_the_signature_is_there(world: World) -> None:
    asked: list[int] = []

    async def late(wait_ms: int) -> Any:
        asked.append(wait_ms)
        if len(asked) < 3:
            raise ApiError("not_ready" if len(asked) == 1 else "busy", "Not yet.", retryAfterMs=1)
        return METHODS["getFinalSignature"].answer

    answer_final(world, late)
    async with await Client.connect(url=world.base, token=COOKIE) as client:
        assert (await client.wait_for_signature(request_id=samples.REQUEST)).signature == samples.SIGNATURE
    assert asked == [60_000] * 3


@pytest.mark.parametrize(("reason", "kind"), [("not_ready", NotReady), ("busy", RateLimited), ("declined", Declined)])
async def test_the_end_of_a_wait_has_its_reason(world: World, reason: str, kind: type[Exception]) -> None:
    async def refuses(wait_ms: int) -> Any:
        raise ApiError("rate_limited" if reason == "busy" else reason, "No.", waitingFor=[B])

    answer_final(world, refuses)
    async with await Client.connect(url=world.base, token=COOKIE) as client:
        with pytest.raises(kind) as caught:
            await client.wait_for_signature(request_id=samples.REQUEST, timeout_s=0)
    assert getattr(caught.value, "data")["waitingFor"] == [B]  # noqa: B009  # of each kind alike


def progress(state: str, joined: tuple[bool, bool], session: dict[str, Any] | None = None) -> RequestProgress:
    signers = [
        {"publicKey": key, "own": False, "delivered": True, "joined": has, "declined": False}
        for key, has in zip((A, B), joined, strict=True)
    ]
    request = decoded(SigningRequest, {**samples.SIGNING_REQUEST, "state": state, "signers": signers})
    of_session = None if session is None else decoded(Session, {**samples.SIGNING_SESSION, **session})
    return RequestProgress(request, of_session)


def contributed(*counts: int) -> list[dict[str, Any]]:
    """Two signers that have made so many of join, nonce, partial signature."""
    steps = ("joined", "nonce", "partialSignature")
    return [
        {"publicKey": key, **{step: at < count for at, step in enumerate(steps)}}
        for key, count in zip((A, B), counts, strict=True)
    ]


def test_progress_names_the_missing_signers_in_each_phase() -> None:
    assert progress("open", (True, False)).missing == (B,)
    joining = progress("open", (True, False), {"phase": "joining", "signers": contributed(1, 0)})
    assert (joining.phase, joining.missing) == ("joining", (B,))
    round1 = progress("signing", (True, True), {"phase": "round1", "signers": contributed(1, 2), "deadline": 7})
    assert (round1.phase, round1.missing, round1.deadline) == ("round1", (A,), 7)
    round2 = progress("signing", (True, True), {"phase": "round2", "signers": contributed(3, 2)})
    assert (round2.phase, round2.missing) == ("round2", (B,))
    done = progress("complete", (True, True), {"phase": "complete", "signers": contributed(3, 3)})
    assert (done.phase, done.missing, done.ended) == ("complete", (), True)
    retried = progress("open", (True, False), {"phase": "aborted", "signers": contributed(1, 0)})
    assert (retried.phase, retried.missing) == ("open", (B,))


async def test_a_request_is_followed_from_its_present_state_to_its_end(world: World) -> None:
    states = iter(["open", "open", "signing", "complete"])

    async def request(caller: object, params: object) -> Any:
        return {**samples.SIGNING_REQUEST, "state": next(states)}

    world.server._dispatcher._calls["getSigningRequest"]._handler = request
    seen = []
    async with await Client.connect(url=world.base, token=COOKIE) as client:
        followed = client.follow_request(request_id=samples.REQUEST)
        seen.append((await anext(followed)).request.state)
        world.log.append(*["session:ready"] * 3, requestId=samples.REQUEST)
        async with asyncio.timeout(180):
            seen += [progress.request.state async for progress in followed]
    assert seen == ["open", "signing", "complete"]
