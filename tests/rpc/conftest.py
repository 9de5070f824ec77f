"""A running server on loopback with a backend in memory, and a client session to talk to it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rpc.config import RpcConfig
from rpc.server.server import RpcServer
from tests.rpc.rpc_backend import memory_backend
from tests.rpc.rpc_log import MemoryLog
from tests.rpc.rpc_stores import MemoryAnswers, MemoryTokens, SettableHealth
from tests.rpc.rpc_world import MakeWorld, World


@pytest.fixture
async def make_world() -> AsyncIterator[MakeWorld]:
    """Makes worlds with settings of their own; all are stopped at the end."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())

        async def make(schemes: Mapping[bytes, Collection[str]] | None = None, **settings: Any) -> World:
            log, tokens, answers, health = MemoryLog(), MemoryTokens(), MemoryAnswers(), SettableHealth()
            settings = {"port": 0, "socket_path": Path(folder) / "musigd.sock", "close_grace_s": 0.2, **settings}
            followed: dict[str, set[str]] = {}
            orders = {name: settings.pop(name) for name in ("stop", "reload") if name in settings}
            backend = memory_backend(log, tokens, followed)
            server = RpcServer(
                RpcConfig(**settings),
                backend,
                events=log,
                tokens=tokens,
                idempotency=answers,
                health=health,
                followed=lambda token_id: followed.get(token_id, ()),
                schemes_of=lambda key: (schemes or {}).get(key, ()),
                **orders,
            )
            await server.start()
            stack.push_async_callback(server.stop, 0)
            session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
            return World(server, log, tokens, answers, health, session, backend)

        yield make


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world()
