"""Every example of the table is sent to a server, and its answer has the shape that the table promises."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel
from rpc_world import World

from rpc.methods.method import Method
from rpc.table import METHODS

PREPARATION = {"unsubscribe": "subscribe"}


def undeclared(value: Any) -> list[str]:
    """Members that no model declares, anywhere inside."""
    if isinstance(value, list | tuple):
        return [name for item in value for name in undeclared(item)]
    if not isinstance(value, BaseModel):
        return []
    inner = [name for member in vars(value).values() for name in undeclared(member)]
    return [*(value.model_extra or {}), *inner]


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
async def test_example_of_the_table_works(world: World, method: Method) -> None:
    async with world.websocket() as ws:
        if method.name in PREPARATION:
            await ws.send_json({"jsonrpc": "2.0", "id": 0, "method": PREPARATION[method.name]})
            await ws.receive_json(timeout=5)
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": method.name, "params": method.example})
        reply = await ws.receive_json(timeout=5)
    assert "result" in reply, reply
    shown = method.result.model_validate(reply["result"], by_name=False)
    if method.name != "rpc.discover":
        assert undeclared(shown) == []
    assert ("seq" in reply["result"]) if method.changes else True
