"""The one way from a message to its answer, for HTTP, WebSocket and the unix socket alike; built on jsonrpcserver.

jsonrpcserver gets one call at a time, and only calls with a valid envelope, so one bad item cannot fail a batch. It
never sees an exception, so no text of one can reach a client. `rpc.calls.envelope` runs before it. Only its innermost
`call` is used: the functions around it inspect the signature of each method, parse again and make a task for each call,
which costs more than all the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson
from jsonrpcserver.async_dispatcher import call as run_method
from jsonrpcserver.request import Request
from jsonrpcserver.result import Result
from jsonrpcserver.sentinels import NOID
from oslash.either import Left  # type: ignore[import-untyped]  # has no annotations; used for this one name

from config.text.nearest import did_you_mean
from config.text.plain_text import cleaned_body
from rpc.calls.call import CallContext
from rpc.calls.envelope import BrokenItem, CallId, Item, item_of, items_of, parse
from rpc.calls.limits import CallGate
from rpc.calls.sent_secrets import may_carry_secret, put_back, take_out
from rpc.errors import ApiError
from rpc.sent_secret import SentSecret

# Takes the context of the message and the params as sent.
Served: TypeAlias = Callable[[CallContext, Any], Awaitable[Result]]

SIDE_BY_SIDE = 16  # calls of one batch
MAX_REPLY_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply, None for nothing. `refused`: the message as a whole was refused before any call ran."""

    body: bytes | None
    refused: ApiError | None = None


class Dispatcher:
    """Answers messages with the calls it was given, as many at once as `gate` admits; for HTTP and WebSocket."""

    def __init__(
        self, calls: Mapping[str, Served], gate: CallGate, *, max_batch: int, max_reply: int = MAX_REPLY_BYTES
    ) -> None:
        """`max_reply`: bytes of answers to one batch; beyond that, the remaining items are not run."""
        self._calls: dict[str, Any] = dict(calls)
        self._gate = gate
        self._max_batch = max_batch
        self._max_reply = max_reply

    async def answer(self, body: bytes | str, message: CallContext) -> Reply:
        """The reply to a message."""
        try:
            body, secrets = _without_secrets(body)
            value = parse(body)
            batch = type(value) is list
            items = items_of(value, self._max_batch) if batch else [item_of(value)]
            for item in items if secrets else ():
                put_back(item, secrets)
        except ApiError as problem:
            return Reply(_failure(problem, None))
        token_id = message.caller.token_id
        refusal = self._gate.admit(token_id, len(items))
        if refusal is not None:
            return Reply(_failure(refusal, None) if batch else _answered(items[0], refusal), refusal)
        try:
            return Reply(await (self._answer_all(items, message) if batch else self._run(items[0], message)))
        finally:
            self._gate.done(token_id, len(items))

    async def _answer_all(self, items: Sequence[Item], message: CallContext) -> bytes | None:
        """All answers: waiting calls run at the same time, a few of the others, until the answers get too large."""
        slots, written = asyncio.Semaphore(SIDE_BY_SIDE), 0

        async def run(item: Item) -> bytes | None:
            nonlocal written
            async with contextlib.nullcontext() if _waits(item) else slots:
                answer = _left_out(item) if written > self._max_reply else await self._run(item, message)
                written += 0 if answer is None else len(answer)
                return answer

        said = [answer for answer in await asyncio.gather(*map(run, items)) if answer is not None]
        return b"[" + b",".join(said) + b"]" if said else None

    async def _run(self, item: Item, message: CallContext) -> bytes | None:
        if isinstance(item, BrokenItem):
            return _failure(item.problem, item.id)
        if item.method not in self._calls:
            return _answered(item, self._unknown(item.method))
        request = Request(item.method, [item.params], NOID if item.notification else item.id)
        result = await run_method(request, message, self._calls[item.method])
        return None if item.notification else _response(result, item.id)

    def _unknown(self, method: str) -> ApiError:
        guess = did_you_mean(method, self._calls)
        return ApiError("method_not_found", f"There is no such method{guess}; rpc.discover lists them.")


def _without_secrets(body: bytes | str) -> tuple[bytes | str, Sequence[SentSecret]]:
    data = body.encode() if isinstance(body, str) else body
    return take_out(data) if may_carry_secret(data) else (body, ())


def _waits(item: Item) -> bool:
    """Whether the call waits for something to happen, so that others must not wait for it."""
    return not isinstance(item, BrokenItem) and isinstance(item.params, dict) and bool(item.params.get("waitMs"))


def _left_out(item: Item) -> bytes | None:
    refusal = ApiError("too_large", "The answers to this batch are too large together; send this call by itself.")
    return _answered(item, refusal)


def _answered(item: Item, refusal: ApiError) -> bytes | None:
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
    """An error response with the id as it came."""
    shown = orjson.Fragment(cleaned_body(orjson.dumps(error)))
    return orjson.dumps({"jsonrpc": "2.0", "error": shown, "id": call_id})


def failure(problem: ApiError) -> bytes:
    """An error response to a message that could not even be read."""
    return _failure(problem, None)
