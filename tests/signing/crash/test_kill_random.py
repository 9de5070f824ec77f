"""kill -9 at random moments: `MUSIGD_KILLS=200 pytest tests/signing/crash/test_kill_random.py` is the nightly run."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.signing.crash.crash_parent import Died, RemoteDaemon
from tests.signing.signing_world import World, announce, signatures
from tests.signing.wire_watch import assert_nonces_used_once

pytestmark = [pytest.mark.network, pytest.mark.slow]
KILLS = int(os.environ.get("MUSIGD_KILLS", "10"))


@pytest.mark.parametrize("seed", range(KILLS))
async def test_killed_at_a_random_moment_every_request_ends_once(make_world: Callable[..., World], seed: int) -> None:
    dice = random.Random(seed)
    name = dice.choice(["lotus", "bip340"])
    world = make_world()
    creator, victim = await world.add(name), RemoteDaemon(world, "victim", name)
    await victim.start()
    requests = [(await announce(creator, [creator, victim]))["requestId"] for _ in range(dice.randrange(1, 6))]
    joining = asyncio.create_task(join_all(victim, requests))
    await asyncio.sleep(dice.uniform(0, 0.15))
    await victim.stop()
    joined = await joining
    await victim.start()
    await join_all(victim, [request for request in requests if request not in joined])
    for request in requests:
        assert len(await signatures(creator, request)) == 1
        await victim.call("getFinalSignature", requestId=request, waitMs=60_000)
    assert_nonces_used_once(world.hub)


async def join_all(victim: RemoteDaemon, requests: list[str]) -> list[str]:
    """Join as many as possible until the process dies; returns which calls were answered."""
    done = []
    with suppress(Died):
        for request in requests:
            await victim.call("until", event="signing-request:received", requestId=request)
            await victim.call("joinSigningRequest", requestId=request, publicKey=victim.key.hex())
            done.append(request)
    return done
