"""A method of a running server made slow: it begins, and goes on when it is told to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from rpc.calls.idempotency import Idempotency
from rpc.methods.table import METHODS
from rpc.server.assembly import _for_caller
from rpc.server.stats import Stats
from tests.rpc.rpc_world import World


@dataclass
class Slow:
    """`began`: a call is at work. `go`: let it go on. `ended`: it has ended, whoever still waits for it."""

    began: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


def slowed(world: World, name: str) -> Slow:
    """Makes that method of the server slow."""
    slow, handler = Slow(), world.backend[name]

    async def serve(*given: Any) -> Any:
        slow.began.set()
        try:
            await slow.go.wait()
            return await handler(*given)
        finally:
            slow.ended.set()

    methods, maker = world.server._answering._dispatcher._methods, world.server._maker
    maker._idempotency = Idempotency(world.answers)
    methods[name] = type(methods[name])(name, maker.make(METHODS[name], _for_caller(METHODS[name], serve)), Stats())
    return slow
