"""The HTTP routes: each request passes Host, Origin, route, token, content type and size, in this order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import orjson
from aiohttp import web
from aiohttp.http import HttpVersion11
from aiohttp.streams import StreamReader

from musig2.curve.memory import wipe_bytes
from rpc.caller import Caller, Scope, needs_token, owner
from rpc.calls.call import CallContext
from rpc.calls.dispatch import Dispatcher
from rpc.calls.limits import CallGate
from rpc.calls.sent_secrets import may_carry_secret
from rpc.config import RpcConfig
from rpc.errors import ApiError
from rpc.ports import Health, Problem, Reload, Stop
from rpc.server.auth import SUBPROTOCOL, Authenticator, bearer_of, subprotocols_of
from rpc.server.connection import Connection
from rpc.server.doorkeeper import Doorkeeper, refuse_content_type
from rpc.server.page import Page
from rpc.server.replies import allow_origin, json_reply, preflight, refused

Serve: TypeAlias = "Callable[[Routes, web.BaseRequest, Caller | None, str | None], Awaitable[web.StreamResponse]]"
Upgrade: TypeAlias = Callable[[web.BaseRequest, Caller, bool], Awaitable[web.StreamResponse]]


class Access(Enum):
    """Which callers may use a route."""

    ANYBODY = "anybody"
    TOKEN = "token"  # noqa: S105  # the name of a rule, not a token
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `serve` gets the caller, None where anybody may ask."""

    access: Access
    serve: Serve


class Routes:
    """The handlers of one listener; `trusted` is the unix socket, whose owner needs no token."""

    def __init__(
        self,
        config: RpcConfig,
        *,
        authenticator: Authenticator,
        dispatcher: Dispatcher,
        gate: CallGate,
        health: Health,
        metrics: Callable[[], str],
        page: Page,
        upgrade: Upgrade,
        stop: Stop,
        reload: Reload,
        trusted: bool,
    ) -> None:
        self._config = config
        self._doorkeeper = Doorkeeper(config)
        self._authenticator = authenticator
        self._dispatcher = dispatcher
        self._gate = gate
        self._health = health
        self._metrics = metrics
        self._page = page
        self._upgrade = upgrade
        self._stop = stop
        self._reload = reload
        self._trusted = trusted

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The response to any request; refusals carry the error object of JSON-RPC."""
        origin = request.headers.get("Origin")
        cors = None if self._trusted or not self._doorkeeper.allows_origin(origin) else origin
        try:
            response = await self._handle(request, cors)
        except ApiError as problem:
            response = refused(problem)
        if cors is not None and not response.prepared:
            allow_origin(response, cors)
        return response

    async def _handle(self, request: web.BaseRequest, cors: str | None) -> web.StreamResponse:
        if self._trusted:
            _authorise(request)
        else:
            refusal = self._doorkeeper.refuse(request.headers)
            if refusal is not None:
                return refused(refusal)
        if request.method == "OPTIONS" and cors is not None:
            return preflight(cors)
        route = ROUTES.get((_verb(request), request.path))
        if route is None:
            shown = self._page.serves(request.path)
            if not shown or request.method not in _READ:
                return _no_route(request, shown)
            page = self._page.response(request)
            page.force_close()  # a program without a token could ask for hundreds in a row, and read none
            return page
        if route.access is Access.OWNER and not self._trusted:
            raise ApiError("forbidden", "This goes through the unix socket only, whose owner has every right.")
        if route.access is Access.ANYBODY:
            return await route.serve(self, request, None, None)
        caller, token = self._caller_of(request)
        _authorise(request)
        return await route.serve(self, request, caller, token)

    def _caller_of(self, request: web.BaseRequest) -> tuple[Caller, str | None]:
        token = bearer_of(request.headers.get("Authorization"), _offered(request))
        if token is None and self._trusted:
            return owner(), None
        return self._authenticator.caller_of(token), token

    async def call(self, request: web.BaseRequest, caller: Caller | None, token: str | None) -> web.StreamResponse:
        """`POST /rpc`: one message, one reply; 204 when there is nothing to say."""
        assert caller is not None
        refusal = refuse_content_type(request.headers)
        if refusal is not None:
            return refused(refusal)
        body = await self._body_of(request)
        try:
            reply = await self._dispatcher.answer(body, CallContext(caller, transport=request.transport))
        finally:
            if may_carry_secret(body):
                wipe_bytes(body)
        if reply.refused is not None:
            return refused(reply.refused)
        return web.Response(status=204) if reply.body is None else json_reply(reply.body)

    async def _body_of(self, request: web.BaseRequest) -> bytes:
        limit = self._config.max_body_bytes
        if request.content_length is not None and request.content_length > limit:
            raise _too_large(limit)
        try:
            if request.content.is_eof():
                return await _read(request.content, limit)
            await _encourage(request)
            async with asyncio.timeout(self._config.body_timeout_s):
                return await _read(request.content, limit)
        except TimeoutError as problem:
            raise ApiError("timeout", "The body did not arrive in time; send it at once.") from problem

    async def open_socket(
        self, request: web.BaseRequest, caller: Caller | None, token: str | None
    ) -> web.StreamResponse:
        """`GET /ws`. Browsers name the token as a subprotocol, and must offer `musigd` too, which is the answer."""
        assert caller is not None
        offered = _offered(request)
        if offered and SUBPROTOCOL not in offered:
            raise ApiError("invalid_request", 'Offer the subprotocols ["musigd", "bearer.<token>"].')
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise ApiError("invalid_request", "This route speaks WebSocket; for single calls use POST /rpc.")
        if offered:  # aiohttp would look at the first line alone, and log what it finds there: the token
            request = request.clone(headers=[*_other_headers(request), (_PROTOCOL, SUBPROTOCOL)])
        return await self._upgrade(request, caller, token is None)

    async def livez(self, request: web.BaseRequest, caller: Caller | None, token: str | None) -> web.StreamResponse:
        """`GET /livez`: 503 means that the daemon should be restarted."""
        return _health_reply(self._health.live())

    async def readyz(self, request: web.BaseRequest, caller: Caller | None, token: str | None) -> web.StreamResponse:
        """`GET /readyz`: 503 means that the daemon cannot do all of its job now."""
        problems = list(self._health.ready())
        if self._gate.stopping or self._gate.draining:
            problems.append(Problem("shutting_down", "Wait until the daemon is back."))
        return _health_reply(problems)

    async def stop(self, request: web.BaseRequest, caller: Caller | None, token: str | None) -> web.StreamResponse:
        """`POST /stop {"lock": ...}`: stops the daemon that holds the data directory with this mark in its lock.

        The path of a socket may lead to another daemon, which answers 409 and does nothing.
        """
        if (refusal := _refuse_order(request, token)) is not None:
            return refusal
        if not self._stop(_lock_in(await self._body_of(request))):
            return json_reply(orjson.dumps({"stopping": False}), 409)
        return json_reply(orjson.dumps({"stopping": True}), 202)

    async def reload(self, request: web.BaseRequest, caller: Caller | None, token: str | None) -> web.StreamResponse:
        """`POST /reload {"lock": ...}`: reads the settings again, and answers when that is done.

        The answer is a `Reloaded`; 409 as for `/stop`.
        """
        if (refusal := _refuse_order(request, token)) is not None:
            return refusal
        became = await self._reload(_lock_in(await self._body_of(request)))
        if became is None:
            return json_reply(orjson.dumps({"reloaded": False}), 409)
        return json_reply(orjson.dumps(became))

    async def metrics(self, request: web.BaseRequest, caller: Caller | None, token: str | None) -> web.StreamResponse:
        """`GET /metrics`, for a token that is not bound to keys: the numbers are those of the whole daemon."""
        assert caller is not None
        if Scope.READ not in caller.scopes or caller.keys is not None:
            raise needs_token("Metrics need", Scope.READ, bound=False)
        return web.Response(text=self._metrics(), content_type="text/plain", charset="utf-8")


ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/rpc"): Route(Access.TOKEN, Routes.call),
    ("POST", "/"): Route(Access.TOKEN, Routes.call),
    ("GET", "/ws"): Route(Access.TOKEN, Routes.open_socket),
    ("GET", "/livez"): Route(Access.ANYBODY, Routes.livez),
    ("GET", "/readyz"): Route(Access.ANYBODY, Routes.readyz),
    ("GET", "/metrics"): Route(Access.TOKEN, Routes.metrics),
    ("POST", "/stop"): Route(Access.OWNER, Routes.stop),
    ("POST", "/reload"): Route(Access.OWNER, Routes.reload),
}


def _authorise(request: web.BaseRequest) -> None:
    if isinstance(request.protocol, Connection):
        request.protocol.authorise()


def _offered(request: web.BaseRequest) -> list[str]:
    return subprotocols_of(request.headers.getall(_PROTOCOL, ()))


def _other_headers(request: web.BaseRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.headers.items() if name.lower() != _PROTOCOL.lower()]


def _verb(request: web.BaseRequest) -> str:
    """HEAD is answered like GET; the body stays out, which aiohttp sees to (RFC 9110 section 9.3.2)."""
    return "GET" if request.method == "HEAD" and request.path in _ALSO_HEAD else request.method


_PROTOCOL = "Sec-WebSocket-Protocol"
_ALSO_HEAD = frozenset({"/livez", "/readyz", "/metrics"})
_READ = ("GET", "HEAD")


def _no_route(request: web.BaseRequest, shown: bool) -> web.Response:
    """`shown`: the page answers there, to other methods."""
    methods = [method for method, path in ROUTES if path == request.path]
    methods += _READ if shown else ["HEAD"] if request.path in _ALSO_HEAD else []
    if not methods:
        return refused(ApiError("not_found", "There is no such route; calls go to POST /rpc."))
    response = refused(ApiError("invalid_request", f"Use {' or '.join(methods)} here."))
    response.set_status(405)
    response.headers["Allow"] = ", ".join(methods)
    return response


def _refuse_order(request: web.BaseRequest, token: str | None) -> web.Response | None:
    """Only the owner of the unix socket may stop or reload the process, not a token."""
    if token is not None:
        raise ApiError("forbidden", "This takes no token: open the unix socket as its owner.")
    refusal = refuse_content_type(request.headers)
    return None if refusal is None else refused(refusal)


def _lock_in(body: bytes) -> str:
    try:
        mark = orjson.loads(body)["lock"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        mark = None
    if not isinstance(mark, str):
        raise ApiError("invalid_request", 'Send {"lock": ...}, with what the lock file of the data directory says.')
    return mark


async def _encourage(request: web.BaseRequest) -> None:
    """Tells a client that asks first (curl with a large body, .NET) to send it; else it waits a second or so."""
    if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        writer = request.writer
        await writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.output_size = 0


async def _read(content: StreamReader, limit: int) -> bytes:
    """The body, without further copies, because it may contain secrets. Raises ApiError `too_large`."""
    chunks, size = [], 0
    while True:
        chunk, _ = await content.readchunk()
        if not chunk and content.at_eof():
            break
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
    if len(chunks) == 1:
        return chunks[0]
    body = b"".join(chunks)
    if may_carry_secret(body):
        for chunk in chunks:
            wipe_bytes(chunk)
    return body


def _too_large(limit: int) -> ApiError:
    return ApiError(
        "too_large",
        f"A body may hold {limit} bytes; send less, or raise limits.rpc_body_bytes.",
        limit=limit,
        setting="limits.rpc_body_bytes",
    )


def _health_reply(problems: Sequence[Problem]) -> web.Response:
    reasons = [{"reason": problem.reason, "remedy": problem.remedy} for problem in problems]
    return json_reply(orjson.dumps({"ok": not reasons, "problems": reasons}), 503 if reasons else 200)
