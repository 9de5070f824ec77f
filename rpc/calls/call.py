"""One call of a method: right, params, idempotency, guard, handler, and the answer as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, Final

import orjson
import structlog
from jsonrpcserver.result import Error, Result, Success
from pydantic import BaseModel

from config.text.plain_text import cleaned_body
from rpc.caller import Caller, needs_key_maker, needs_token
from rpc.calls.idempotency import Idempotency, call_digest
from rpc.calls.limits import CallGate, too_many_at_work
from rpc.calls.on_record import RecordedOnce, facts_of
from rpc.calls.params import params_of
from rpc.calls.stats import Stats
from rpc.errors import ApiError, shutting_down
from rpc.methods.method import Method
from rpc.models.wire import Change, Params
from rpc.ports import Answer, CallFacts, EventSource, Guard, Handler, Once, Recorder

_log = structlog.get_logger("rpc")


@dataclass(slots=True)
class CallContext:
    """What a call may know about its message. `after_reply` runs once the reply is on its way."""

    caller: Caller
    socket: Any = None  # the Socket of rpc.events.socket it came through, None for HTTP
    transport: asyncio.BaseTransport | None = None
    after_reply: list[Callable[[], None]] = field(default_factory=list)


class Unguarded:
    """The guard of handlers that need none."""

    def check(self, caller: Caller, params: Params) -> None:
        """Refuses nothing."""

    def refusal_of(self, error: Exception) -> ApiError | None:
        """Every error is a fault of the program."""


UNGUARDED: Final = Unguarded()


class Changes:
    """The changes in progress, at most `most` at once, whether their clients are still connected or not."""

    def __init__(
        self,
        events: EventSource,
        idempotency: Idempotency,
        gate: CallGate,
        most: int,
        recorder: Recorder | None = None,
    ) -> None:
        """While `gate` drains, changes are refused because the daemon is stopping. `recorder`: None keeps no record."""
        self.idempotency = idempotency
        self.recorder = recorder
        self._events = events
        self._gate = gate
        self._most = most
        self._at_work: set[asyncio.Task[bytes]] = set()

    @property
    def position(self) -> int:
        """The position of the event log: seq of the last event."""
        return self._events.next_seq - 1

    def require_room(self) -> None:
        """Raises ApiError `shutting_down`, `busy`."""
        if self._gate.draining:
            raise shutting_down()
        if len(self._at_work) >= self._most:
            raise too_many_at_work()

    def outlives(self, change: asyncio.Task[bytes]) -> asyncio.Future[bytes]:
        """The answer of a change, to be awaited: cancelling the wait does not cancel the change."""
        self._at_work.add(change)
        change.add_done_callback(self._at_work.discard)
        return asyncio.shield(change)

    async def settled(self, within_s: float) -> None:
        """Waits until no change is in progress, or until the time is over."""
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=within_s)


class Call:
    """A method as jsonrpcserver sees it: two positional arguments, any exception turned into an error result.

    A call whose client has gone is cancelled by the reader of that connection. A call that only reads ends there; one
    that changes something runs to its end, so that no change is left half done.
    """

    def __init__(
        self,
        method: Method,
        handler: Handler,
        changes: Changes,
        stats: Stats,
        *,
        guard: Guard = UNGUARDED,
        takes_message: bool = False,
    ) -> None:
        """`takes_message`: the handler wants the CallContext in the place of the caller."""
        self._method = method
        self._handler = handler
        self._changes = changes
        self._stats = stats
        self._guard = guard
        self._takes_message = takes_message

    async def __call__(self, message: CallContext, raw: Any) -> Result:
        began = perf_counter()
        try:
            require_right(self._method, message)
            if self._method.changes:
                body = await self._change(message, raw)
            else:
                params, facts = params_of(self._method.params, raw), self._facts(message, raw)
                body = await self._serve(message, params, facts, None)
            result = orjson.Fragment(cleaned_body(body))
        except asyncio.CancelledError:
            self._count("client_gone", began)
            raise
        except ApiError as refusal:
            self._count(refusal.reason, began)
            self._refused(message, raw, refusal)
            return Error(refusal.code, refusal.message, refusal.data)
        except Exception:  # noqa: BLE001  # the last line of defence: logged here, and no text of it leaves
            _log.exception("rpc.call_failed", method=self._method.name)
            self._count("internal_error", began)
            failure = ApiError("internal_error", "The daemon failed to do this; its log says why.")
            return Error(failure.code, failure.message, failure.data)
        self._count("ok", began)
        return Success(result)

    async def _change(self, message: CallContext, raw: Any) -> bytes:
        self._changes.require_room()
        params = params_of(self._method.params, raw)
        serve = partial(self._serve, message, params, self._facts(message, raw))
        key = params.idempotency_key if isinstance(params, Change) else None
        if key is None:
            change = asyncio.ensure_future(serve(None))
        else:
            digest = call_digest(self._method.name, raw)
            change = self._changes.idempotency.once(message.caller.token_id, key, digest, serve)
        return await self._changes.outlives(change)

    async def _serve(self, message: CallContext, params: Params, facts: CallFacts | None, once: Once | None) -> bytes:
        subject = message if self._takes_message else message.caller
        recorder = self._changes.recorder
        recorded = None if facts is None or recorder is None else RecordedOnce(recorder, facts, once)
        try:
            self._guard.check(message.caller, params)
            if self._method.idempotent:
                answer = await self._handler(subject, params, recorded or once)
            else:
                answer = await self._handler(subject, params)
            if recorded is not None:
                await recorded.ended()
        except ApiError:
            raise
        except Exception as error:
            refusal = self._guard.refusal_of(error)
            if refusal is None:
                raise
            raise refusal from error
        return with_seq(answer, self._changes.position) if self._method.changes else as_json(answer)

    def _facts(self, message: CallContext, raw: Any) -> CallFacts | None:
        """What of this call goes on record; None where nothing does."""
        if self._changes.recorder is None or not (self._method.changes or self._method.secret):
            return None
        return facts_of(message, self._method.name, raw)

    def _refused(self, message: CallContext, raw: Any, refusal: ApiError) -> None:
        facts = self._facts(message, raw)
        if facts is not None and self._changes.recorder is not None:
            self._changes.recorder.refused(facts, refusal.reason, refusal.data)

    def _count(self, outcome: str, began: float) -> None:
        self._stats.count(self._method.name, outcome, perf_counter() - began)


def require_right(method: Method, message: CallContext) -> None:
    """Raises ApiError `forbidden`, naming the scope or the other thing that is missing."""
    caller = message.caller
    if not method.granted(caller):
        if method.makes_key:
            raise needs_key_maker(f"{method.name} needs", method.scope)
        raise needs_token(f"{method.name} needs", method.scope, bound=not method.whole_daemon)
    if method.whole_daemon and caller.keys is not None:
        raise needs_token(f"{method.name} needs", method.scope, bound=False)
    if method.websocket and message.socket is None:
        raise ApiError("invalid_request", f"{method.name} works on a WebSocket; over HTTP use getEvents.")


def as_json(answer: Answer) -> bytes:
    """The result as JSON, without members of models that are None."""
    if isinstance(answer, BaseModel):
        return orjson.dumps(answer.model_dump(by_alias=True, exclude_none=True))
    return orjson.dumps(answer)


def with_seq(answer: Answer, position: int) -> bytes:
    """The same with `seq`, the position of the event log after the change."""
    result = answer.model_dump(by_alias=True, exclude_none=True) if isinstance(answer, BaseModel) else answer
    assert isinstance(result, Mapping), "a changing method answers with an object"
    seq = {} if "seq" in result else {"seq": position}
    return orjson.dumps({**result, **seq})
