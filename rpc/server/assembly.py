"""Every method of the table with the handler that serves it: the program's, or one of this package."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rpc.calls.call import CallContext, CallMaker, MessageCall, Serve
from rpc.calls.pure import PureMethods
from rpc.config import RpcConfig
from rpc.events.methods import EventMethods
from rpc.methods.method import Method
from rpc.methods.table import METHODS
from rpc.ports import Answer, Backend, Handler, Once, SchemesOf
from rpc.schema.openrpc import Description
from rpc.server.backend import handlers_of, require_complete


def calls_of(
    maker: CallMaker, backend: Backend, events: EventMethods, config: RpcConfig, schemes_of: SchemesOf
) -> dict[str, MessageCall]:
    """The calls of the API; raises IncompleteBackendError naming methods that nobody serves."""
    with_message = _handlers(events)
    for_callers: dict[str, Handler] = {
        **handlers_of(PureMethods(config.network, schemes_of), Description(config.version)),
        **backend,
    }
    require_complete([*for_callers, *with_message])
    calls = {name: maker.make(METHODS[name], serve) for name, serve in with_message.items()}
    calls |= {
        name: maker.make(METHODS[name], _for_caller(METHODS[name], handler)) for name, handler in for_callers.items()
    }
    return calls


def _handlers(events: EventMethods) -> dict[str, Serve]:
    handlers: dict[str, Callable[[CallContext, Any], Awaitable[Answer]]] = {
        "subscribe": events.subscribe,
        "unsubscribe": events.unsubscribe,
        "getEvents": events.get_events,
    }
    return {name: _with_message(handler) for name, handler in handlers.items()}


def _with_message(handler: Callable[[CallContext, Any], Awaitable[Answer]]) -> Serve:
    def serve(message: CallContext, params: Any, once: Once | None) -> Awaitable[Answer]:
        return handler(message, params)

    return serve


def _for_caller(method: Method, handler: Handler) -> Serve:
    def serve(message: CallContext, params: Any, once: Once | None) -> Awaitable[Answer]:
        if method.idempotent:
            return handler(message.caller, params, once)
        return handler(message.caller, params)

    return serve
