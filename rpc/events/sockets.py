"""All WebSockets: opens them, watches their tokens, closes them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from aiohttp import web

from rpc.caller import OWNER, Caller, owner
from rpc.calls.call import CallContext
from rpc.calls.dispatch import Dispatcher
from rpc.calls.limits import share
from rpc.config import RpcConfig
from rpc.errors import ApiError
from rpc.events.socket import STOPPING, Socket
from rpc.events.subscriptions import Hub
from rpc.ports import TokenStore
from rpc.server.auth import Authenticator
from rpc.server.connection import Connection

_LONGEST_GOODBYE_S = 1.0


class Sockets:
    """The open WebSockets. A token that is revoked or expires closes the connections that use it."""

    def __init__(
        self, config: RpcConfig, *, tokens: TokenStore, authenticator: Authenticator, dispatcher: Dispatcher, hub: Hub
    ) -> None:
        self._config = config
        self._tokens = tokens
        self._authenticator = authenticator
        self._dispatcher = dispatcher
        self._hub = hub
        self._open: set[Socket] = set()
        self._of_token: Counter[str] = Counter()
        self._serving: set[asyncio.Future[None]] = set()
        self._unwatch: Callable[[], None] | None = None
        self._clock: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    def start(self) -> None:
        """Begins to watch the tokens."""
        self._unwatch = self._tokens.watch(self._check)
        self._clock = asyncio.ensure_future(self._check_often())

    async def stop(self) -> None:
        """Closes every connection with 1001 and waits until they end; those that do not are cut off."""
        if self._unwatch is not None:
            self._unwatch()
        if self._clock is not None:
            self._clock.cancel()
        for connection in list(self._open):
            connection.close(STOPPING, "the daemon is stopping", min(_LONGEST_GOODBYE_S, self._config.close_grace_s))
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def upgrade(self, request: web.BaseRequest, caller: Caller, as_owner: bool) -> web.StreamResponse:
        """Makes the request a WebSocket and serves it to its end. Raises ApiError `busy` beyond a token's share."""
        if caller.token_id != OWNER and self._of_token[caller.token_id] >= share(self._config.max_connections):
            raise ApiError(
                "busy",
                "This token has too many WebSockets open; close some, or raise limits.rpc_connections.",
                retryAfterMs=1_000,
                setting="limits.rpc_connections",
            )
        ws = web.WebSocketResponse(
            protocols=("musigd",),
            compress=False,
            max_msg_size=self._config.max_body_bytes,
            decode_text=False,
        )
        await ws.prepare(request)
        transport = request.transport
        if transport is None:
            return ws
        recheck = owner if as_owner else lambda: self._authenticator.refreshed(caller.token_id)
        assert isinstance(request.protocol, Connection)
        connection = Socket(
            ws, request.protocol, transport, caller=caller, recheck=recheck, hub=self._hub, config=self._config
        )
        serving = asyncio.ensure_future(connection.serve(self._answer))
        self._open.add(connection)
        self._of_token[caller.token_id] += 1
        self._serving.add(serving)
        try:
            await serving
        finally:
            self._open.discard(connection)
            self._of_token -= Counter((caller.token_id,))
            self._serving.discard(serving)
        return ws

    async def _answer(self, body: bytes, message: CallContext) -> bytes | None:
        return (await self._dispatcher.answer(body, message)).body

    def _check(self) -> None:
        for connection in list(self._open):
            connection.check_token()

    async def _check_often(self) -> None:
        while True:
            await asyncio.sleep(self._config.token_check_s)
            self._check()
            now_s = asyncio.get_running_loop().time()
            for connection in list(self._open):
                connection.check_alive(now_s)
