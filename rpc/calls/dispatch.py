"""The one way from a message to its answer, for HTTP, WebSocket and the unix socket alike; built on jsonrpcserver.

jsonrpcserver dispatches one call at a time and is handed only calls whose envelope holds: so one bad item cannot fail a
batch. It never sees an exception, so no text of one can reach a client. `rpc.envelope` stands before it; params travel
as one positional argument, whose signature is known, so it inspects none. Its inner `dispatch_request` is used, as what
is around it parses again and makes a task of each call, which costs more than all the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Generic, TypeAlias, TypeVar

import orjson
import structlog
from jsonrpcserver import Error, Result, Success
from jsonrpcserver.async_dispatcher import dispatch_request
from jsonrpcserver.request import Request
from jsonrpcserver.sentinels import NOID
from oslash.either import Left  # type: ignore[import-untyped]  # has no annotations; used for this one name

from config.plain_text import cleaned_body
from rpc.calls.envelope import BrokenItem, CallId, Item, item_of, items_of, parse
from rpc.errors import ApiError
from rpc.nearest import did_you_mean
from rpc.server.stats import Stats

C = TypeVar("C")
# Takes the context of the message and the params as sent; gives the result as JSON. Raises ApiError to refuse.
Call: TypeAlias = Callable[[C, Any], Awaitable[bytes]]
Admit: TypeAlias = Callable[[int], ApiError | None]

SIDE_BY_SIDE = 16  # calls of one batch
MAX_REPLY_BYTES = 16 * 1024 * 1024

_log = structlog.get_logger("rpc")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back, None for nothing. `refused`: the message as a whole was turned away before any call ran."""

    body: bytes | None
    refused: ApiError | None = None


class Dispatcher(Generic[C]):
    """Answers messages with the calls it was given. It keeps nothing between messages."""

    def __init__(
        self, calls: Mapping[str, Call[C]], *, max_batch: int, stats: Stats, max_reply: int = MAX_REPLY_BYTES
    ) -> None:
        """`max_reply`: bytes of answers to one batch, beyond which the items that are left are not run."""
        self._max_reply = max_reply
        self._methods: dict[str, Any] = {name: _Served(name, call, stats) for name, call in calls.items()}
        self._max_batch = max_batch

    async def answer(self, body: bytes | str, context: C, admit: Admit) -> Reply:
        """The reply to a message. `admit(n)` is asked once whether n calls may run now."""
        try:
            value = parse(body)
            if type(value) is not list:
                return await self._answer_one(item_of(value), context, admit)
            items = items_of(value, self._max_batch)
        except ApiError as problem:
            return Reply(_failure(problem, None))
        refusal = admit(len(items))
        if refusal is not None:
            return Reply(_failure(refusal, None), refusal)
        return Reply(await self._answer_all(items, context))

    async def _answer_one(self, item: Item, context: C, admit: Admit) -> Reply:
        refusal = admit(1)
        if refusal is not None:
            return Reply(None if item.notification else _failure(refusal, item.id), refusal)
        return Reply(await self._run(item, context))

    async def _answer_all(self, items: Sequence[Item], context: C) -> bytes | None:
        """All answers; those that wait do so at once, of the others a few, until they have become too much together."""
        slots, written = asyncio.Semaphore(SIDE_BY_SIDE), 0

        async def run(item: Item) -> bytes | None:
            nonlocal written
            async with contextlib.nullcontext() if _waits(item) else slots:
                answer = _left_out(item) if written > self._max_reply else await self._run(item, context)
                written += 0 if answer is None else len(answer)
                return answer

        said = [answer for answer in await asyncio.gather(*map(run, items)) if answer is not None]
        return b"[" + b",".join(said) + b"]" if said else None

    async def _run(self, item: Item, context: C) -> bytes | None:
        if isinstance(item, BrokenItem):
            return _failure(item.problem, item.id)
        if item.method not in self._methods:
            return None if item.notification else _failure(self._unknown(item.method), item.id)
        request = Request(item.method, [item.params], NOID if item.notification else item.id)
        _, result = await dispatch_request(self._methods, context, request)
        return None if item.notification else _response(result, item.id)

    def _unknown(self, method: str) -> ApiError:
        guess = did_you_mean(method, self._methods)
        return ApiError("method_not_found", f"There is no such method{guess}; rpc.discover lists them.")


class _Fits(inspect.Signature):
    """jsonrpcserver asks of each call whether its arguments fit. Ours always are a context and the params."""

    def bind(self, *args: Any, **kwargs: Any) -> inspect.BoundArguments:
        """Nothing to find out."""
        return inspect.BoundArguments(self, OrderedDict())


class _Served:
    """A method as jsonrpcserver sees it: two positional arguments, any exception turned into an error result."""

    __signature__ = _Fits()

    def __init__(self, name: str, call: Call[Any], stats: Stats) -> None:
        self._name = name
        self._call = call
        self._stats = stats

    async def __call__(self, context: Any, params: Any) -> Result:
        began = perf_counter()
        try:
            result = orjson.Fragment(cleaned_body(await self._call(context, params)))
        except asyncio.CancelledError:
            self._stats.count(self._name, "client_gone", perf_counter() - began)
            raise
        except ApiError as refusal:
            self._stats.count(self._name, refusal.reason, perf_counter() - began)
            return Error(refusal.code, refusal.message, refusal.data)
        except Exception:  # noqa: BLE001  # the last line of defence: logged here, and no text of it leaves
            _log.exception("rpc.call_failed", method=self._name)
            self._stats.count(self._name, "internal_error", perf_counter() - began)
            failure = ApiError("internal_error", "The daemon failed to do this; its log says why.")
            return Error(failure.code, failure.message, failure.data)
        self._stats.count(self._name, "ok", perf_counter() - began)
        return Success(result)


def _waits(item: Item) -> bool:
    """Whether it waits for something to happen, and so must not be waited for by others."""
    return not isinstance(item, BrokenItem) and isinstance(item.params, dict) and bool(item.params.get("waitMs"))


def _left_out(item: Item) -> bytes | None:
    refusal = ApiError("too_large", "The answers to this batch are too large together; send this call by itself.")
    return None if item.notification else _failure(refusal, item.id)


def _response(result: Any, call_id: CallId) -> bytes:
    if isinstance(result, Left):
        error = result._error
        body = {"code": error.code, "message": error.message, "data": error.data}
        return _failed(body, call_id)
    return orjson.dumps({"jsonrpc": "2.0", "result": result._value.result, "id": call_id})


def _failure(problem: ApiError, call_id: CallId) -> bytes:
    return _failed(problem.to_json(), call_id)


def _failed(error: Mapping[str, Any], call_id: CallId) -> bytes:
    """The id goes back as it came."""
    shown = orjson.Fragment(cleaned_body(orjson.dumps(error)))
    return orjson.dumps({"jsonrpc": "2.0", "error": shown, "id": call_id})


def failure(problem: ApiError) -> bytes:
    """An error response to a message that could not even be read."""
    return _failure(problem, None)
