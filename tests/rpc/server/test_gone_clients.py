"""A client goes away in the middle of a call: a call that only reads ends at once, a change is completed."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.rpc.rpc_slow import slowed
from tests.rpc.rpc_world import MakeWorld, World

WAITING = {"jsonrpc": "2.0", "id": 1, "method": "getEvents", "params": {"fromSeq": 1, "waitMs": 60_000}}


async def send_and_go(world: World, call: Any, once: asyncio.Event | None = None) -> None:
    """Send it over a connection of its own, and close that when the call is at work."""
    async with aiohttp.ClientSession() as session:
        headers = {"Content-Type": "application/json", **world.bearer()}
        posting = asyncio.ensure_future(session.post(world.server.url, json=call, headers=headers))
        await (world.log.listened_to_by(2) if once is None else once.wait())
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)


@pytest.mark.parametrize("call", [WAITING, [WAITING, WAITING]], ids=["single", "batch"])
async def test_long_poll_over_http_of_a_client_that_is_gone_ends(world: World, call: Any) -> None:
    await send_and_go(world, call)
    await world.log.left_alone_by_all_but(1)
    async with asyncio.timeout(180):
        await world.server._gate.quiet(10)
    assert world.server._gate.at_work == 0


async def test_call_whose_client_is_gone_is_counted_as_such(world: World) -> None:
    await send_and_go(world, WAITING)
    await world.log.left_alone_by_all_but(1)
    async with world.session.get(f"{world.base}/metrics", headers=world.bearer()) as response:
        assert 'musigd_rpc_calls_total{method="getEvents",outcome="client_gone"} 1' in await response.text()


async def test_long_poll_over_a_websocket_that_is_gone_ends(world: World) -> None:
    async with world.websocket() as ws:
        await ws.send_json(WAITING)
        await world.log.listened_to_by(2)
    await world.log.left_alone_by_all_but(1)
    await world.server._gate.quiet(10)
    assert world.server._gate.at_work == 0


async def test_change_whose_client_is_gone_is_made_to_its_end(world: World) -> None:
    slow = slowed(world, "createKey")
    call = {"jsonrpc": "2.0", "id": 1, "method": "createKey", "params": {"scheme": "lotus", "label": "left"}}
    await send_and_go(world, call, slow.began)
    await world.server._gate.quiet(10)
    slow.go.set()
    await slow.ended.wait()
    assert [key["label"] for key in (await world.result("listKeys"))["keys"]][1:] == ["left"]


async def test_changes_of_clients_that_are_gone_count_among_the_calls_at_work(make_world: MakeWorld) -> None:
    world = await make_world(max_calls_at_once=2)
    slow = slowed(world, "createKey")
    call = {"jsonrpc": "2.0", "id": 1, "method": "createKey", "params": {"scheme": "lotus"}}
    for _ in range(2):
        slow.began.clear()
        await send_and_go(world, call, slow.began)
    await world.server._gate.quiet(10)
    assert await world.reason("createKey", {"scheme": "lotus"}) == "busy"
    slow.go.set()
    await world.server._changes.settled(10)
    assert len((await world.result("listKeys"))["keys"]) == 3


async def test_server_that_stops_waits_for_a_change_whose_client_is_gone(make_world: MakeWorld) -> None:
    world = await make_world()
    slow = slowed(world, "createKey")
    call = {"jsonrpc": "2.0", "id": 1, "method": "createKey", "params": {"scheme": "lotus"}}
    await send_and_go(world, call, slow.began)
    stopping = asyncio.ensure_future(world.server.stop(grace_s=60))
    await world.server._gate.quiet(10)
    slow.go.set()
    await stopping
    assert slow.ended.is_set()
