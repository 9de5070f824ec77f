"""A server to throw messages at, with or without HTTP before it."""

from __future__ import annotations

from typing import Self

from rpc.caller import owner
from rpc.calls.call import CallContext
from rpc.config import RpcConfig
from rpc.server.server import RpcServer
from tests.rpc.rpc_backend import memory_backend
from tests.rpc.rpc_log import MemoryLog
from tests.rpc.rpc_stores import MemoryAnswers, MemoryTokens, SettableHealth


class Target:
    """The real thing with a backend in memory."""

    def __init__(self, server: RpcServer) -> None:
        self._server = server

    @classmethod
    async def make(cls) -> Self:
        log, tokens = MemoryLog(), MemoryTokens()
        backend = memory_backend(log, tokens)
        return cls(
            RpcServer(
                RpcConfig(port=0, calls_per_second=1e9),
                backend,
                events=log,
                tokens=tokens,
                idempotency=MemoryAnswers(),
                health=SettableHealth(),
            )
        )

    async def answer(self, body: bytes) -> bytes | None:
        return (await self._server._dispatcher.answer(body, CallContext(owner()))).body

    async def listen(self) -> int:
        """Starts to listen and returns the port."""
        await self._server.start()
        return self._server.port
