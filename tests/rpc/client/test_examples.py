"""Every example of the table is sent to a server, and its answer has the shape that the table promises."""

from __future__ import annotations

import pytest

from rpc.methods.method import Method
from rpc.methods.table import METHODS
from tests.rpc.rpc_world import World
from tests.rpc.schema.undeclared import undeclared

PREPARATION = {"unsubscribe": "subscribe"}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
async def test_example_of_the_table_works(world: World, method: Method) -> None:
    async with world.websocket() as ws:
        if method.name in PREPARATION:
            await ws.send_json({"jsonrpc": "2.0", "id": 0, "method": PREPARATION[method.name]})
            await ws.receive_json(timeout=180)
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": method.name, "params": method.example})
        reply = await ws.receive_json(timeout=180)
    assert "result" in reply, reply
    shown = method.result.model_validate(reply["result"], by_name=False)
    assert undeclared(shown) == []
    assert ("seq" in reply["result"]) if method.changes else True
