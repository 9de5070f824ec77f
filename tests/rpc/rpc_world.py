"""A running server with everything behind it, for tests."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp

from rpc.server.server import RpcServer
from tests.rpc.rpc_log import MemoryLog
from tests.rpc.rpc_stores import COOKIE, MemoryAnswers, MemoryTokens, SettableHealth


@dataclass
class World:
    """A server, everything behind it, and an HTTP session that sends the cookie token unless told otherwise."""

    server: RpcServer
    log: MemoryLog
    tokens: MemoryTokens
    answers: MemoryAnswers
    health: SettableHealth
    session: aiohttp.ClientSession
    backend: dict[str, Any]

    @property
    def base(self) -> str:
        return self.server.url.removesuffix("/rpc")

    def bearer(self, token: str | None = COOKIE) -> dict[str, str]:
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    async def post(self, body: Any, token: str | None = COOKIE, **headers: str) -> tuple[int, Any]:
        """Status and JSON of a POST; bytes go as they are."""
        data = {"data": body} if isinstance(body, bytes) else {"json": body}
        sent = {"Content-Type": "application/json", **self.bearer(token), **headers}
        async with self.session.post(self.server.url, headers=sent, **data) as response:
            return response.status, await response.json() if response.status != 204 else None

    async def call(self, method: str, params: Any = None, token: str | None = COOKIE) -> Any:
        """The response object of one call."""
        _, reply = await self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}, token)
        return reply

    async def result(self, method: str, params: Any = None, token: str | None = COOKIE) -> Any:
        reply = await self.call(method, params, token)
        assert "error" not in reply, reply
        return reply["result"]

    async def reason(self, method: str, params: Any = None, token: str | None = COOKIE) -> str:
        reply = await self.call(method, params, token)
        return str(reply["error"]["data"]["reason"])

    def websocket(self, token: str | None = COOKIE, **more: Any) -> Any:
        return self.session.ws_connect(self.server.ws_url, headers=self.bearer(token), **more)


MakeWorld: TypeAlias = Callable[..., Coroutine[Any, Any, World]]
