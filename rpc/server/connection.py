"""One connection to the server, as asyncio sees it: aiohttp's, and what a WebSocket wants to know of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from rpc.errors import ApiError
from rpc.server.replies import refused

_log = structlog.get_logger("rpc")


class Connection(RequestHandler):
    """aiohttp's; but what is no HTTP is neither repeated in the answer nor in the log, which strangers could fill.

    `heard`: bytes have come since somebody set it to False. `on_room`: called when the transport takes more again.
    """

    __slots__ = ("heard", "on_room")

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.heard = True
        self.on_room: Callable[[], None] | None = None

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self.heard = True
        super().data_received(data)

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
