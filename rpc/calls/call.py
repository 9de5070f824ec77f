"""A method of the table and its handler, made into one call: scope, params, idempotency, handler, seq."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from pydantic import BaseModel

from rpc.caller import Caller, needs_token
from rpc.calls.idempotency import Idempotency, call_digest
from rpc.calls.limits import too_many_at_work
from rpc.calls.params import params_of
from rpc.errors import ApiError, shutting_down
from rpc.methods.method import Method
from rpc.models.wire import Change, Params
from rpc.ports import Answer, EventSource, Once


@dataclass(slots=True)
class CallContext:
    """What a call may know of the message it came in. `after_reply` runs once the reply is on its way."""

    caller: Caller
    socket: Any = None  # the rpc.socket.Socket it came through, None for HTTP
    after_reply: list[Callable[[], None]] = field(default_factory=list)


Serve: TypeAlias = Callable[[CallContext, Any, Once | None], Awaitable[Answer]]
MessageCall: TypeAlias = Callable[[CallContext, Any], Awaitable[bytes]]


class CallMaker:
    """Makes calls. `draining()` says whether changing calls are refused because the daemon is stopping.

    A call whose client has gone is cancelled by whoever reads from that client. One that only reads ends there; one
    that changes something goes on to its end, so that no change is left half made. At most `most` changes are at work
    at once, whether their clients are still there or not.
    """

    def __init__(self, events: EventSource, idempotency: Idempotency, draining: Callable[[], bool], most: int) -> None:
        self._events = events
        self._idempotency = idempotency
        self._draining = draining
        self._most = most
        self._changing: set[asyncio.Task[bytes]] = set()

    async def settled(self, within_s: float) -> None:
        """Waits until no change is at work, or until the time is over."""
        if self._changing:
            await asyncio.wait(self._changing, timeout=within_s)

    def make(self, method: Method, serve: Serve) -> MessageCall:
        """The call of a method that only reads, or of one that changes something."""

        async def read(message: CallContext, raw: Any) -> bytes:
            require_right(method, message)
            return as_json(await serve(message, params_of(method.params, raw), None))

        async def change(message: CallContext, raw: Any) -> bytes:
            require_right(method, message)
            if self._draining():
                raise shutting_down()
            if len(self._changing) >= self._most:
                raise too_many_at_work()
            changing = asyncio.ensure_future(self._change(method, serve, message, raw))
            self._changing.add(changing)
            changing.add_done_callback(self._changing.discard)
            return await asyncio.shield(changing)

        return change if method.changes else read

    async def _change(self, method: Method, serve: Serve, message: CallContext, raw: Any) -> bytes:
        params = params_of(method.params, raw)

        async def run(once: Once | None) -> bytes:
            return with_seq(await serve(message, params, once), self._events.next_seq - 1)

        key = _idempotency_key(params)
        if key is None:
            return await run(None)
        return await self._idempotency.once(message.caller.token_id, key, call_digest(method.name, raw), run)


def require_right(method: Method, message: CallContext) -> None:
    """Raises ApiError `forbidden`, naming the scope or the other thing that is missing."""
    caller = message.caller
    if method.scope not in caller.scopes and not (method.makes_key and caller.create_key):
        raise needs_token(f"{method.name} needs", method.scope, bound=not method.whole_daemon)
    if method.whole_daemon and caller.keys is not None:
        raise needs_token(f"{method.name} needs", method.scope, bound=False)
    if method.websocket and message.socket is None:
        raise ApiError("invalid_request", f"{method.name} works on a WebSocket; over HTTP use getEvents.")


def _idempotency_key(params: Params) -> str | None:
    return params.idempotency_key if isinstance(params, Change) else None


def as_json(answer: Answer) -> bytes:
    """The result as it travels; members of models that are None stay out."""
    if isinstance(answer, BaseModel):
        return orjson.dumps(answer.model_dump(by_alias=True, exclude_none=True))
    return orjson.dumps(answer)


def with_seq(answer: Answer, position: int) -> bytes:
    """The same with `seq`, the position of the event log after the change."""
    result = answer.model_dump(by_alias=True, exclude_none=True) if isinstance(answer, BaseModel) else answer
    assert isinstance(result, Mapping), "a changing method answers with an object"
    seq = {} if "seq" in result else {"seq": position}
    return orjson.dumps({**result, **seq})
