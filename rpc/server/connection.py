"""One connection to the server: aiohttp's protocol, with what a WebSocket needs to know about it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http import HttpRequestParser
from aiohttp.web_protocol import RequestHandler

from musig2.curve.memory import wipe_bytes
from rpc.calls.sent_secrets import may_carry_secret
from rpc.errors import ApiError
from rpc.server.replies import refused

_COPIES = HttpRequestParser.__module__ == "aiohttp._http_parser"
_log = structlog.get_logger("rpc")


UNKNOWN_PER_SECOND = 10  # answers over a connection without a valid token, which then wait
UNKNOWN_AT_ONCE = 5


class Connection(RequestHandler):
    """aiohttp's protocol, but bytes that are not HTTP are repeated neither in the answer nor in the log.

    `heard`: bytes have arrived since it was set to False. `on_room`: called when the transport takes more again.
    `on_authorised`: called when a request with a valid token has come over it.
    """

    __slots__ = ("_unknown_next_s", "_wipes", "heard", "on_authorised", "on_room")

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.on_authorised: Callable[[RequestHandler], None] | None = None
        self.heard = True
        self.on_room: Callable[[], None] | None = None
        self._unknown_next_s = 0.0
        self._wipes = False  # a secret may have begun; the rest of it may follow

    def authorise(self) -> None:
        """A request with a valid token has come, or one of the owner."""
        if self.on_authorised is not None:
            self.on_authorised(self)
            self.on_authorised = None

    def answered_again_s(self) -> float:
        """How many seconds the answer to a request without a valid token has to wait, so that none is asked for more.

        A program that repeats such a request, for want of a token, would take as much of the processor as there is.
        """
        now = time.monotonic()
        self._unknown_next_s = max(self._unknown_next_s, now) + 1 / UNKNOWN_PER_SECOND
        return max(0.0, self._unknown_next_s - now - UNKNOWN_AT_ONCE / UNKNOWN_PER_SECOND)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self.heard = True
        super().data_received(data)
        if self._wipes or may_carry_secret(data):
            self._wipe(data)

    def _wipe(self, data: bytes) -> None:
        """aiohttp's parser in C has made copies of what it needs, until a WebSocket begins; the others keep `data`."""
        if _COPIES and not self._upgraded:
            self._wipes = True
            wipe_bytes(data)

    def resume_writing(self) -> None:
        """Called by the transport."""
        super().resume_writing()
        if self.on_room is not None:
            self.on_room()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The error object of JSON-RPC; a fault of our own is logged as before."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        _log.debug("rpc.not_http", problem=type(exc).__name__)
        answer = refused(ApiError("invalid_request", "This is no HTTP request that can be read; send it again."))
        answer.force_close()
        return answer
