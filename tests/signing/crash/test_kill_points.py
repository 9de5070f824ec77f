"""kill -9 before and after each save and each send: one signature per request, and no nonce used twice."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from tests.signing.crash.crash_parent import Died, RemoteDaemon
from tests.signing.signing_world import World, join, signatures
from tests.signing.wire_watch import assert_nonces_used_once

pytestmark = pytest.mark.network

POINTS = ("before_save", "after_save", "before_send", "after_send", "after_tell")
CREATOR = ("request", "nonce", "partial", "complete")
JOINER = ("request", "join", "nonce", "partial", "complete")


@pytest.mark.parametrize(("point", "kind"), list(product(POINTS, CREATOR)))
async def test_a_creator_killed_at_any_point_ends_with_one_signature(
    make_world: Callable[..., World], point: str, kind: str
) -> None:
    world = make_world()
    victim, other = RemoteDaemon(world, "victim", "lotus"), await world.add("lotus")
    await victim.start(point, kind)
    victim.share_book()
    announce: dict[str, object] = {
        "publicKey": victim.key.hex(),
        "requiredPublicKeys": [victim.key.hex(), other.key.hex()],
    }
    request = await _announce(victim, announce | {"message": "33" * 32})
    if request is not None:
        await join(other, request)
        await victim.died()
        await victim.start()
    else:
        await victim.died()
        await victim.start()
        request = await _announced(victim, announce | {"message": "33" * 32})
        await join(other, request)
    assert len(await signatures(other, request)) == 1
    await victim.call("getFinalSignature", requestId=request, waitMs=60_000)
    assert_nonces_used_once(world.hub)


async def _announce(victim: RemoteDaemon, params: dict[str, object]) -> str | None:
    try:
        return str((await victim.call("announceSigningRequest", **params))["requestId"])
    except Died:
        return None


async def _announced(victim: RemoteDaemon, params: dict[str, object]) -> str:
    """The request as the store knows it after the restart, or a new one where it was never stored."""
    known = (await victim.call("findSigningRequestsForMe"))["requests"]
    return str(known[0]["requestId"]) if known else str(await _announce(victim, params))


@pytest.mark.parametrize(("point", "kind"), list(product(POINTS, JOINER)))
async def test_a_joiner_killed_at_any_point_ends_with_one_signature(
    make_world: Callable[..., World], point: str, kind: str
) -> None:
    world = make_world()
    victim, creator = RemoteDaemon(world, "victim", "bip340"), await world.add("bip340")
    await victim.start(point, kind)
    request = (
        await creator.call(
            "announceSigningRequest",
            publicKey=creator.key.hex(),
            requiredPublicKeys=[victim.key.hex(), creator.key.hex()],
            message="44" * 32,
        )
    )["requestId"]
    if not await _joined(victim, request):
        await victim.died()
        await victim.start()
        await _joined(victim, request)
    else:
        await victim.died()
        await victim.start()
    assert len(await signatures(creator, request)) == 1
    await victim.call("getFinalSignature", requestId=request, waitMs=60_000)
    assert_nonces_used_once(world.hub)


async def _joined(victim: RemoteDaemon, request: str) -> bool:
    """Join as soon as the request is there; False if the process died before it could answer."""
    try:
        await victim.call("until", event="signing-request:received", requestId=request)
        await victim.call("joinSigningRequest", requestId=request, publicKey=victim.key.hex())
    except Died:
        return False
    return True
