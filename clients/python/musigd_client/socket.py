"""One WebSocket to a daemon: calls side by side, and the notifications of its subscriptions in order."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Mapping
from typing import Any

import aiohttp

from musigd_client.errors import ClientError, Unauthenticated, Unreachable
from musigd_client.methods.all import Methods
from musigd_client.wire import result_of

_REVOKED = 4401
_MOST_HEARD = 1_000


class SocketClient(Methods):
    """One WebSocket, from `Client.socket`; close it when done. It ends with its connection."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._heard: deque[Mapping[str, Any]] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._over = False
        self._reading = asyncio.ensure_future(self._read())

    async def call(self, method: str, **params: Any) -> Any:
        """One call with params as on the wire; raises CallFailed, or Unreachable when the connection ends first."""
        call_id = next(self._ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = answer
        body = json.dumps({"jsonrpc": "2.0", "id": call_id, "method": method, "params": params})
        try:
            if self._over:
                raise self._ended()
            await self._ws.send_str(body)
            return result_of(await answer)
        except ConnectionError as problem:
            raise self._ended() from problem
        finally:
            self._waiting.pop(call_id, None)

    async def next_notification(self) -> Mapping[str, Any]:
        """The `params` of the next notification: `{subscription, result}`.

        Raises once the connection has ended and everything that had arrived was returned.
        """
        while not self._heard:
            if self._over:
                raise self._ended()
            self._news.clear()
            await self._news.wait()
        self._room.set()
        return self._heard.popleft()

    async def close(self) -> None:
        """Close the connection; waiting calls fail."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._ws.close()

    async def _read(self) -> None:
        try:
            async for message in self._ws:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._take(json.loads(message.data))
        finally:
            self._over = True
            self._news.set()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(self._ended())

    async def _take(self, said: Any) -> None:
        if not isinstance(said, Mapping):
            return
        if said.get("method") == "subscription":
            await self._keep(said["params"])
            return
        answer = self._waiting.get(said.get("id", 0))
        if answer is not None and not answer.done():
            answer.set_result(said)

    async def _keep(self, notification: Mapping[str, Any]) -> None:
        """Queue a notification; while the queue is full nothing is read, and the daemon sees a slow reader."""
        while len(self._heard) >= _MOST_HEARD:
            self._room.clear()
            await self._room.wait()
        self._heard.append(notification)
        self._news.set()

    def _ended(self) -> ClientError:
        if self._ws.close_code == _REVOKED:
            return Unauthenticated(-32001, "the token was revoked or has expired", {"reason": "unauthenticated"})
        return Unreachable(f"the connection has ended (close code {self._ws.close_code})")
