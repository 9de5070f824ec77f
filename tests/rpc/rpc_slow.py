"""Makes a method of a running server wait until the test lets it go on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from rpc.calls.idempotency import Idempotency
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

    world.server._changes.idempotency = Idempotency(world.answers)
    world.server._dispatcher._calls[name]._handler = serve
    return slow
