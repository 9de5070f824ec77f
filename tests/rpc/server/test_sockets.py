"""A WebSocket under stress: calls side by side, messages of the wrong kind, a client that breaks off at bad moments."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from musigd_client import CallFailed, Client, ClientError, Unreachable
from musigd_client.wire import result_of
from rpc.methods.table import METHODS
from rpc.server.assembly import IncompleteBackendError, require_complete
from tests.rpc.rpc_world import World


async def test_binary_message_closes_with_1003(world: World) -> None:
    async with world.websocket() as ws:
        await ws.send_bytes(b"{}")
        await ws.receive(timeout=180)
        assert ws.close_code == 1003


async def test_hundreds_of_calls_on_one_connection_are_all_answered(world: World) -> None:
    async with world.websocket() as ws:
        for call_id in range(500):
            await ws.send_json({"jsonrpc": "2.0", "id": call_id, "method": "getInfo"})
        answered = {(await ws.receive_json(timeout=180))["id"] for _ in range(500)}
    assert answered == set(range(500))


async def test_waiting_calls_of_one_connection_are_bounded_and_the_rest_stays_unread(world: World) -> None:
    wait = {"fromSeq": 1, "waitMs": 60_000}
    async with world.websocket() as ws:
        for call_id in range(100):
            await ws.send_json({"jsonrpc": "2.0", "id": call_id, "method": "getEvents", "params": wait})
        await world.log.listened_to_by(65)
        assert world.server._gate.at_work == 64
        world.log.append("session:ready")
        answered = {(await ws.receive_json(timeout=180))["id"] for _ in range(100)}
    assert answered == set(range(100))


async def test_client_that_leaves_while_it_catches_up_leaves_nothing_behind(world: World) -> None:
    world.log.append(*["session:ready"] * 5_000, padding="x" * 1_000)
    async with world.websocket() as ws:
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"fromSeq": 1}})
        await ws.receive_json(timeout=180)
    async with asyncio.timeout(180):
        while len(world.server._hub):
            await world.result("getInfo")
    assert len(world.server._hub) == 0


async def test_batch_of_subscribe_and_unsubscribe_leaves_no_subscription(world: World) -> None:
    async with world.websocket() as ws:
        await ws.send_json(
            [
                {"jsonrpc": "2.0", "id": 1, "method": "subscribe"},
                {"jsonrpc": "2.0", "id": 2, "method": "unsubscribe", "params": {"subscription": "1"}},
            ]
        )
        replies = await ws.receive_json(timeout=180)
        assert [each["result"] for each in replies][1] is True
        assert len(world.server._hub) == 0


async def test_call_on_a_socket_client_ends_with_its_connection(world: World) -> None:
    async with await Client.connect(url=world.base, token="cookie-token") as client:
        socket = await client.socket()
        waiting = asyncio.ensure_future(socket.get_events(from_seq=1, wait_ms=60_000))
        await world.log.listened_to_by(2)
        for connection in list(world.server._sockets._open):
            connection._transport.abort()
        with pytest.raises(Unreachable):
            await waiting
        with pytest.raises(Unreachable):
            await socket.get_info()
        with pytest.raises(Unreachable):
            await socket.next_notification()
        await socket.close()


async def test_an_answer_that_is_not_json_rpc_differs_from_a_refusal() -> None:
    nonsense: Any
    for nonsense in ([], "x", {}, {"error": "x"}):
        with pytest.raises(ClientError, match="JSON-RPC"):
            result_of(nonsense)
    with pytest.raises(CallFailed) as caught:
        result_of({"error": {"code": -32000, "message": "no", "data": ["x"]}})
    assert caught.value.reason == "unknown"
    assert caught.value.to_json() == {"code": -32000, "message": "no", "data": {}}


def test_a_missing_handler_is_found_at_the_start() -> None:
    with pytest.raises(IncompleteBackendError, match="createKey"):
        require_complete([name for name in METHODS if name != "createKey"])


async def test_metrics_count_calls_by_outcome(world: World) -> None:
    await world.result("getInfo")
    await world.call("getSession", {"sessionId": "00" * 32})
    async with world.session.get(f"{world.base}/metrics", headers=world.bearer()) as response:
        text = await response.text()
    assert 'musigd_rpc_calls_total{method="getInfo",outcome="ok"} 1' in text
    assert 'musigd_rpc_calls_total{method="getSession",outcome="not_found"} 1' in text
    assert "musigd_rpc_sockets 0" in text
