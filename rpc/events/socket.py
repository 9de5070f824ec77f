"""One WebSocket: reads messages, answers them concurrently, carries subscriptions.

Replies and notifications are written as whole frames directly to the transport while it takes them, and wait here while
it does not. A reader that leaves more than `max_backlog_bytes` unread, or answers no ping, is closed with 1013: waiting
frames are dropped, so that the close frame follows what the transport holds, and the reader may take a while to get it.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

import structlog
from aiohttp import web
from aiohttp.http import WSMsgType

from rpc.caller import Caller
from rpc.calls.call import CallContext
from rpc.config import RpcConfig
from rpc.errors import ApiError
from rpc.events.filter import Selection
from rpc.events.frames import close_frame, ping_frame, text_frame
from rpc.events.resume import Start
from rpc.events.subscriptions import Hub, Subscription
from rpc.server.connection import Connection

STOPPING = 1001
WRONG_KIND = 1003
TOO_SLOW = 1013
NO_LONGER_ALLOWED = 4401

_MAX_CALLS = 64  # calls in progress per connection; further ones are not read yet

Answer: TypeAlias = Callable[[bytes, CallContext], Awaitable[bytes | None]]

_log = structlog.get_logger("rpc")


class Socket:
    """A connection whose handshake is done. `recheck()`: the caller as its token stands now, None when it ended."""

    def __init__(
        self,
        ws: web.WebSocketResponse,
        connection: Connection,
        transport: asyncio.Transport,
        *,
        caller: Caller,
        recheck: Callable[[], Caller | None],
        hub: Hub,
        config: RpcConfig,
    ) -> None:
        self._ws = ws
        self._connection = connection
        self._transport = transport
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._silent_since: float | None = None
        self._pinged = False
        connection.on_room = self._write_waiting
        self._caller = caller
        self._recheck = recheck
        self._hub = hub
        self._config = config
        self._tasks: set[asyncio.Task[None]] = set()
        self._made = 0
        self._said_goodbye = False
        self.subscriptions: dict[str, Subscription] = {}

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent."""
        return self._said_goodbye or self._ws.closed or self._transport.is_closing()

    def push(self, frame: bytes) -> None:
        """Writes a frame, now or when there is room; closes the connection when its reader is too far behind."""
        if self.closed:
            return
        if not self._connection.writing_paused and not self._waiting:
            self._transport.write(frame)
        elif self._waiting_bytes + self._transport.get_write_buffer_size() > self._config.max_backlog_bytes:
            self.close(TOO_SLOW, "too slow; resume from the last seq you have", self._config.wake_grace_s)
        else:
            self._waiting.append(frame)
            self._waiting_bytes += len(frame)

    def _write_waiting(self) -> None:
        while self._waiting and not self._connection.writing_paused and not self.closed:
            frame = self._waiting.popleft()
            self._waiting_bytes -= len(frame)
            self._transport.write(frame)

    async def send(self, payload: bytes) -> None:
        """Writes one text message and waits while the connection is full."""
        if self.closed:
            raise ConnectionResetError("the connection is closed")
        await self._ws.send_frame(payload, WSMsgType.TEXT)

    def close(self, code: int, reason: str, grace_s: float | None = None) -> None:
        """Sends a close frame, once, and ends every subscription; earlier frames may still be read for `grace_s`."""
        grace_s = self._config.close_grace_s if grace_s is None else grace_s
        if not self._said_goodbye:
            self._said_goodbye = True
            self._drop_subscriptions()
            before = () if code == TOO_SLOW else self._waiting
            if not self._transport.is_closing():
                self._transport.write(b"".join((*before, close_frame(code, reason))))
            self._waiting.clear()
        asyncio.get_running_loop().call_later(grace_s, self._transport.abort)

    def check_alive(self, now_s: float) -> None:
        """Pings a silent client, and closes the connection if it stays silent. Call it at intervals."""
        if self._connection.heard or self.closed:
            self._connection.heard, self._silent_since = False, None
        elif self._silent_since is None:
            self._silent_since, self._pinged = now_s, False
        elif now_s - self._silent_since > 1.5 * self._config.heartbeat_s:
            self.close(TOO_SLOW, "no answer to a ping; resume from the last seq you have", self._config.wake_grace_s)
        elif now_s - self._silent_since > self._config.heartbeat_s and not self._pinged:
            self._pinged = True
            self.push(ping_frame())

    def check_token(self) -> None:
        """Applies changed keys of the token; closes with 4401 if it was revoked or has expired."""
        if self._said_goodbye:
            return
        caller = self._recheck()
        if caller is None:
            self.close(NO_LONGER_ALLOWED, "the token was revoked or has expired")
        elif caller != self._caller:
            self._caller = caller
            for subscription in self.subscriptions.values():
                self._hub.refresh(subscription, caller)

    def new_subscription(self, selection: Selection, start: Start) -> Subscription:
        """A subscription that does not send yet; raises `too_many` beyond the limit of one connection."""
        if len(self.subscriptions) >= self._config.max_subscriptions:
            raise ApiError("too_many", f"A connection may hold {self._config.max_subscriptions} subscriptions.")
        self._made += 1
        subscription = Subscription(str(self._made), self, selection, start)
        self.subscriptions[subscription.id] = subscription
        return subscription

    async def serve(self, answer: Answer) -> None:
        """Reads until the connection ends; then only changes in progress continue."""
        try:
            while True:
                message = await self._ws.receive()
                match message.type:
                    case WSMsgType.TEXT:
                        await self._take(message.data, answer)
                    case WSMsgType.BINARY:
                        self.close(WRONG_KIND, "send text messages")
                    case _:
                        return
        finally:
            self._said_goodbye = True
            self._drop_subscriptions()
            for task in self._tasks:
                task.cancel()
            # Closing waits until everything is written, which a peer that reads nothing can delay for ever.
            asyncio.get_running_loop().call_later(self._config.close_grace_s, self._transport.abort)

    async def _take(self, body: bytes, answer: Answer) -> None:
        if self.closed:
            return  # messages of a revoked token after the close frame
        task = _started(self._reply(body, answer))
        if task.done():
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if len(self._tasks) >= _MAX_CALLS:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def _reply(self, body: bytes, answer: Answer) -> None:
        message = CallContext(self._caller, self, self._transport)
        reply = await answer(body, message)
        if reply is not None:
            self.push(text_frame(reply))
        for then in message.after_reply:
            then()

    def _drop_subscriptions(self) -> None:
        for subscription in self.subscriptions.values():
            self._hub.remove(subscription)
        self.subscriptions.clear()


def _started(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task; from Python 3.12 on it runs at once, and most calls are then done without another turn of the loop."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
    return asyncio.ensure_future(work)
