"""Many signers, many requests at once: everything ends, and nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.signing.signing_world import World, announce, join, signatures

MakeWorld = Callable[..., World]


@pytest.mark.parametrize(
    "count", [10, pytest.param(20, marks=pytest.mark.slow), pytest.param(50, marks=pytest.mark.slow)]
)
async def test_many_signers_sign_together(world: World, count: int) -> None:
    daemons = await world.grow(count, "bip340")
    request = (await announce(daemons[0], daemons))["requestId"]
    await asyncio.gather(*(join(daemon, request) for daemon in daemons[1:]))
    found = await asyncio.gather(*(signatures(daemon, request) for daemon in daemons))
    assert all(one == found[0] for one in found)


async def test_above_the_mesh_only_the_creator_dials_everybody(world: World) -> None:
    daemons = await world.grow(18)
    request = (await announce(daemons[0], daemons))["requestId"]
    await asyncio.gather(*(join(daemon, request) for daemon in daemons[1:]))
    await asyncio.gather(*(signatures(daemon, request) for daemon in daemons))
    links = sum(len(daemon.net.links) for daemon in daemons if daemon.net is not None) // 2
    assert links < 18 * 17 // 2


async def test_a_hundred_sessions_started_at_once_all_end(world: World) -> None:
    one, two = await world.grow(2)
    requests = await asyncio.gather(*(announce(one, [one, two]) for _ in range(100)))
    ids = [announced["requestId"] for announced in requests]
    tasks = len(asyncio.all_tasks())
    await asyncio.gather(*(join(two, request) for request in ids))
    found = await asyncio.gather(*(signatures(daemon, request) for request in ids for daemon in (one, two)))
    assert len({signature for one in found for signature in one}) == 100
    assert len(asyncio.all_tasks()) <= tasks
